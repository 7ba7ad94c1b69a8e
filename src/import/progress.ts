import type { Fault } from './chat-message.ts'

export interface Counts {
  /** With all their messages. */
  conversations: number
  stored: number
  /** Messages that an earlier import had stored. */
  replayed: number
  faults: number
}

/** Milliseconds between two looks of the line. */
const calm = 200

/** What the person at the terminal sees meanwhile: one line that changes, where there is a terminal, and each fault. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  #shownAt = 0

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  show({ conversations, stored, replayed }: Counts): void {
    if (!this.#stream.isTTY || Date.now() - this.#shownAt < calm) return
    this.#shownAt = Date.now()
    this.#stream.write(`\r\x1b[K${conversations} conversations, ${stored + replayed} messages`)
  }

  fault(line: number, fault: Fault): void {
    this.clear()
    const id = fault.id === null ? '' : ` (${JSON.stringify(fault.id)})`
    this.#stream.write(`Line ${line}${id}: ${fault.message}\n`)
  }

  clear(): void {
    if (this.#stream.isTTY && this.#shownAt > 0) this.#stream.write('\r\x1b[K')
  }
}
