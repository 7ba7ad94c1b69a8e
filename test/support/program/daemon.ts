import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program of others that runs until its stack is disposed. */
export interface Daemon {
  readonly process: ChildProcess
  /** @throws with what it wrote, if it has ended */
  requireAlive(): void
}

export function startDaemon(
  stack: AsyncDisposableStack,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Daemon {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = once(child, 'close')
  stack.defer(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return {
    process: child,
    requireAlive() {
      if (child.exitCode !== null) throw new Error(`${command} did not start:\n${output}`)
    },
  }
}
