import { writeFile } from 'node:fs/promises'
import type { ServerProcess } from '../support/program/server-process.ts'

/** What a server holds of its process. */
export interface Held {
  /** Timers that keep it alive. */
  readonly timers: number
  /** Of the heap, after garbage was collected. */
  readonly heapMiB: number
}

/** Looks into the process of a server, and moves its clock: on a signal, the process does what a file says. */
export class Probe {
  readonly #path: string
  #server: ServerProcess | null = null
  #asked = 0
  #shiftMs = 0

  /** @param path of a file of its own */
  constructor(path: string) {
    this.#path = path
  }

  /** For the process of the server. */
  get settings(): Record<string, string> {
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(inside(this.#path))}` }
  }

  watch(server: ServerProcess): void {
    this.#server = server
    this.#shiftMs = 0
  }

  /** From now on its clock is so many milliseconds before the right time; 0: it is right. */
  async shiftClock(ms: number): Promise<void> {
    this.#shiftMs = ms
    const { now } = await this.#ask()
    if (Math.abs(now - Date.now() - ms) > 600_000) throw new Error('the clock did not jump')
  }

  look(): Promise<Held> {
    return this.#ask()
  }

  async #ask(): Promise<Held & { readonly now: number }> {
    if (this.#server === null) throw new Error('unreachable: it watches a server')
    const asked = ++this.#asked
    await writeFile(this.#path, JSON.stringify({ asked, shiftMs: this.#shiftMs }))
    this.#server.program.kill('SIGUSR2')
    const [, held] = await this.#server.program.prints(new RegExp(`^probe ${asked} (.+)$`, 'm'))
    return JSON.parse(held as string)
  }
}

const inside = (path: string) => `
  import { readFileSync } from 'node:fs'
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  import { isMainThread } from 'node:worker_threads'
  let shift = 0
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...given) { given.length === 0 ? super(Right.now() + shift) : super(...given) }
    static now() { return Right.now() + shift }
  }
  if (isMainThread) {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    process.on('SIGUSR2', () => {
      const { asked, shiftMs } = JSON.parse(readFileSync(${JSON.stringify(path)}, 'utf8'))
      shift = shiftMs
      collect()
      const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      const heapMiB = process.memoryUsage().heapUsed / 1024 ** 2
      console.log('probe ' + asked + ' ' + JSON.stringify({ timers, heapMiB, now: Date.now() }))
    })
  }`
