import { Progress } from '../progress.ts'
import type { Counts } from '../transfer/lines.ts'

/** How far an export or an import is, by its messages. */
export class TransferProgress {
  readonly #line: Progress

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#line = new Progress(stream)
  }

  show({ conversations, messages }: Counts, all: Counts): void {
    const [done, whole] = all.messages > 0 ? [messages, all.messages] : [conversations, all.conversations]
    this.#line.show(`${conversations} conversations`, messages, 'messages', whole > 0 ? done / whole : 1)
  }

  /** Makes room for another line. */
  clear(): void {
    this.#line.clear()
  }
}
