import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cpuOf, residentOf } from './meter.ts'

/** The folder of the whole project, which every program runs in. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** How a server is started: it has to print the URLs of its GraphQL, all in one piece, once it is ready. */
export interface Command {
  /** Below the project's folder, or an absolute path. */
  readonly script: string
  readonly nodeOptions?: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A server that runs as a process of its own. Disposing it ends it. */
export class Program implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    /** Of its WebSockets, where they have one of their own. */
    readonly socketPort: number,
  ) {}

  /** Returns when it is ready. */
  static async start({ script, nodeOptions = [], env }: Command): Promise<Program> {
    const child = spawn(process.execPath, [...nodeOptions, script], {
      cwd: root,
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    // Also when the bench itself fails.
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    child.once('exit', () => process.off('exit', end))
    let output = ''
    const [port, socketPort] = await new Promise<[number, number]>((resolve, reject) => {
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const http = portIn(output, 'http')
        if (http === null) return
        resolve([http, portIn(output, 'ws') ?? http])
        // The rest is its log.
        child.stdout?.removeAllListeners('data').resume()
      })
      child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it was ready:\n${output}`)))
    })
    return new Program(child, port, socketPort)
  }

  /** Microseconds of the processor so far. */
  get cpu(): number {
    return cpuOf(this.pid)
  }

  /** Bytes. */
  get resident(): number {
    return residentOf(this.pid)
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Asks it what `probe.js` answers; it has to be started with `probe`. */
  async ask(question: 'heap' | 'blocked'): Promise<number> {
    const answer = once(this.child, 'message')
    this.child.send(question)
    return (await answer)[0] as number
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  }
}

/** Options of Node for a program that can be asked. */
export const probe: readonly string[] = ['--expose-gc', '--import', './bench/probe.js']

/** Options of Node for a program in TypeScript. */
export const typescript: readonly string[] = ['--import', '@oxc-node/core/register']

function portIn(output: string, scheme: string): number | null {
  const [, port] = new RegExp(`${scheme}://127\\.0\\.0\\.1:(\\d+)/`).exec(output) ?? []
  return port === undefined ? null : Number(port)
}
