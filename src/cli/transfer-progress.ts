import { Progress } from '../progress.ts'
import type { Counts } from '../transfer/lines.ts'

/** How far an export or an import is, by its messages. */
export class TransferProgress {
  readonly #line = new Progress(process.stderr)

  show({ conversations, messages }: Counts, all: Counts): void {
    this.#line.show(`${conversations} conversations`, messages, 'messages', messages / all.messages)
  }

  /** Makes room for another line. */
  clear(): void {
    this.#line.clear()
  }
}
