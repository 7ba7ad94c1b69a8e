import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { stopProcess } from '../program/stop-process.ts'

/** Whether there is a nats-server on this machine; Debian's package of that name has one. */
export const hasNats = spawnSync('nats-server', ['--version']).error === undefined

/** A nats-server of the test's own on a free port, which it keeps when it is killed and started again. */
export class NatsServer implements AsyncDisposable {
  #process: ChildProcess | null = null
  #port = -1

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`
  }

  async start(): Promise<this> {
    const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(this.#port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    let output = ''
    for await (const text of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += text
      this.#port = Number(/client connections on 127\.0\.0\.1:(\d+)/.exec(output)?.[1] ?? this.#port)
      if (output.includes('Server is ready')) break
    }
    if (!output.includes('Server is ready')) throw new Error(`nats-server did not start:\n${output}`)
    child.stderr.resume()
    return this
  }

  async freeze(): Promise<void> {
    if (this.#process?.pid) await stopProcess(this.#process.pid)
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    if (this.#process === null) return
    const ended = once(this.#process, 'close')
    this.#process.kill('SIGKILL')
    this.#process = null
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
