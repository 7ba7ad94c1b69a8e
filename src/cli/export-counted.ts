import type { ExportOptions } from '../transfer/export-database.ts'
import type { Counts } from '../transfer/lines.ts'
import { TransferProgress } from './transfer-progress.ts'

/** What an export tells of itself: on a terminal while it goes on, and at its end. */
export class CountedExport {
  readonly options: ExportOptions
  readonly #progress = new TransferProgress()
  #done: Counts = { conversations: 0, messages: 0 }

  constructor(userId: string | null) {
    this.options = {
      userId,
      onProgress: (done, all) => {
        const { conversations, messages } = done
        this.#done = { conversations, messages }
        this.#progress.show(done, all)
      },
    }
  }

  /** To be called once, at the end. */
  summary(path: string, json: true | undefined): string {
    this.#progress.clear()
    const { conversations, messages } = this.#done
    if (json) return JSON.stringify({ path, conversations, messages }, null, 2)
    return `${conversations} conversations with ${messages} messages are in ${path}.`
  }
}
