import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** How a program ended: its exit code, or the signal that killed it. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process whose output is read. */
export abstract class Running implements AsyncDisposable {
  readonly process: ChildProcess
  readonly exited: Promise<Exit>
  stdout = ''
  stderr = ''

  constructor(process: ChildProcess) {
    this.process = process
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    // 'close' and not 'exit': all output has arrived by then.
    this.exited = once(process, 'close').then(([code, signal]) => ({ code, signal }))
  }

  /** The first match in standard output, now or when it comes. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    const output = this.process.stdout
    if (output === null) throw new Error('unreachable: the output is a pipe')
    for (;;) {
      const match = pattern.exec(this.stdout)
      if (match !== null) return match
      const more = once(output, 'data').then(() => true)
      if (!(await Promise.race([more, this.exited.then(() => false)])) && !pattern.test(this.stdout)) {
        throw new Error(`ended before it printed ${pattern}:\n${this.stdout}${this.stderr}`)
      }
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  abstract [Symbol.asyncDispose](): Promise<void>
}

/** A program of this project as a process of its own, on the Node that runs the tests. Disposing it kills what is left of it. */
export class Program extends Running {
  /**
   * @param script below dist/; see `buildPrograms`
   * @param folder where the script lies and is started, in the place of dist/ and this project
   */
  constructor(script: string, args: readonly string[], env: Readonly<Record<string, string>>, folder?: string) {
    super(
      spawn(process.execPath, [join(folder ?? 'dist', script), ...args], {
        cwd: folder ?? root,
        // Most of a start is compiling modules, and a run of all tests starts some 150 programs.
        env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: `${root}node_modules/.cache/node`, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL')
    await this.exited
  }
}

/** Brings dist/ up to date, as `npm start` does. */
export function buildPrograms(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/prepare.js'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`)
}
