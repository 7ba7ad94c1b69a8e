import { readdir, readFile } from 'node:fs/promises'
import { Program } from './program.ts'

/** A server as a process of its own, on a database that is there, in development mode. */
export class ServerProcess implements AsyncDisposable {
  readonly program: Program
  /** `http://host:port`, without a path. */
  readonly url: string

  private constructor(program: Program, url: string) {
    this.program = program
    this.url = url
  }

  /**
   * Settles when it listens. See `buildPrograms`.
   *
   * @param folder the dist/ of another release
   */
  static async start(
    databaseUrl: string,
    settings: Readonly<Record<string, string>> = {},
    folder?: string,
  ): Promise<ServerProcess> {
    await using stack = new AsyncDisposableStack()
    const ours: Record<string, string> = folder === undefined ? { SEARCH_FILL: 'off' } : {}
    const environment = {
      DATABASE_URL: databaseUrl,
      PORT: '0',
      LOG_LEVEL: 'error',
      RATE_LIMIT: 'off',
      ...ours,
      ...settings,
    }
    const program = stack.use(new Program('src/main.js', [], environment, folder))
    await program.prints(/Access/)
    const [, url] = await program.prints(/GraphQL +(http:\S+)\/graphql/)
    stack.move()
    return new ServerProcess(program, url as string)
  }

  /** How many files and sockets it has open. Linux. */
  async handles(): Promise<number> {
    return (await readdir(`/proc/${this.program.process.pid}/fd`)).length
  }

  /** What it holds of the machine's memory, in MiB. Linux. */
  async residentMiB(): Promise<number> {
    const status = await readFile(`/proc/${this.program.process.pid}/status`, 'utf8')
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]()
  }
}
