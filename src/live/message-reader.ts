import type { Message } from '../entities/message.ts'
import type { Place } from '../entities/place.ts'
import type { PageReads } from '../storage/message-page.ts'
import type { Batch, Reader } from './feed.ts'
import type { HeldReads } from './shared-reads.ts'

const rowsPerRead = 20

/** The messages after a place, by seq; the end is when the conversation is gone, or begun anew. */
export class MessageReader<Event> implements Reader<Event> {
  readonly #pages: PageReads
  readonly #userId: string
  readonly #toEvent: (message: Message) => Event
  #place: Place

  constructor(pages: PageReads, userId: string, after: Place, toEvent: (message: Message) => Event) {
    this.#pages = pages
    this.#userId = userId
    this.#place = after
    this.#toEvent = toEvent
  }

  async read(reads: HeldReads): Promise<Batch<Event>> {
    const { key, epoch, seq } = this.#place
    const request = { key, epoch, after: seq, before: null, count: rowsPerRead, fromEnd: false, columns: 'all' as const }
    // Whoever shares the read shares its events.
    const read = await reads.once(`messages ${this.#userId} ${key} ${epoch} ${seq}`, async (budget) => {
      const [page] = await this.#pages.read(budget, this.#userId, [request])
      return page ? { page, events: page.messages.map(this.#toEvent) } : null
    })
    if (read === null) return { events: [], rest: 'end', revision: 0 }
    const { page, events } = read
    const last = page.messages.at(-1)
    if (last !== undefined) this.#place = { ...this.#place, seq: last.seq }
    return { events, rest: page.hasNext ? 'more' : 'all', revision: page.conversation.revision }
  }
}
