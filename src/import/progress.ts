import type { Fault } from './chat-message.ts'

export interface Counts {
  /** Conversations of which all messages are stored. */
  conversations: number
  stored: number
  /** Messages that an earlier import had stored. */
  replayed: number
  faults: number
}

/** Milliseconds between two changes of the line. */
const calm = 200

/** What the person at the terminal sees during the import: each fault, and, on a terminal, one line that changes. */
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
