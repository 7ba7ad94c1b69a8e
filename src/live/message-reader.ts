import type { Place } from '../entities/ids/place.ts'
import type { Message } from '../entities/message/message.ts'
import { type Page, readPages } from '../storage/message/message-page.ts'
import type { AnswerBudget } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import type { Batch, Reader } from './feed.ts'
import type { HeldReads } from './shared-reads.ts'
import { questionOf, readForViewer } from './viewer-reads.ts'

const rowsPerRead = 20

/** Where a reader begins. */
export interface FeedPlace extends Place {
  /** The owner of the conversation. */
  readonly ownerId: string
}

/** Where a reader stands. Readers that came there together share this object. */
interface Standing extends FeedPlace {
  /** The name of the read that is done there at the moment; null: none is. A reader that waits needs no name. */
  question: string | null
}

/**
 * Reads the messages after a place, by seq. It ends when the conversation is deleted, or was deleted and created again.
 */
export class MessageReader<Event> implements Reader<Event> {
  readonly #store: Store
  readonly #userId: string
  readonly #toEvent: (message: Message) => Event
  #at: Standing

  constructor(store: Store, userId: string, after: FeedPlace, toEvent: (message: Message) => Event) {
    this.#store = store
    this.#userId = userId
    this.#toEvent = toEvent
    this.#at = { ...after, question: null }
  }

  get viewerId(): string {
    return this.#userId
  }

  read(reads: HeldReads, _hasMoved: boolean, tell: (batch: Batch<Event>) => void): void {
    const from = this.#at
    const { key, epoch, seq, ownerId } = from
    from.question ??= questionOf(`messages ${key} ${epoch} ${seq}`, this.#userId, ownerId)
    readForViewer(reads, this.#store, {
      question: from.question,
      userId: this.#userId,
      where: from,
      ask: (budget, userId) => this.#read(budget, userId, from),
      toTold: (page) => this.#toTold(page, from),
      take: ({ batch, at }) => {
        from.question = null
        this.#at = at ?? from
        tell(batch)
      },
    })
  }

  async #read(budget: AnswerBudget, userId: string, { key, epoch, ownerId, seq }: FeedPlace): Promise<Page | null> {
    const request = {
      key,
      epoch,
      ownerId,
      after: seq,
      before: null,
      count: rowsPerRead,
      fromEnd: false,
      columns: 'all' as const,
    }
    const [page] = await readPages(this.#store, budget, userId, [request])
    return page ?? null
  }

  /** @returns `at`: where the reader stands after the read; null: where it stood before */
  #toTold(page: Page | null, { key, epoch, ownerId }: FeedPlace): { batch: Batch<Event>; at: Standing | null } {
    if (page === null) return { batch: { events: [], rest: 'end', revision: 0 }, at: null }
    const { messages, hasNext, conversation } = page
    const events = messages.map(this.#toEvent)
    const last = messages.at(-1)
    return {
      batch: { events, rest: hasNext ? 'more' : 'all', revision: conversation.revision },
      at: last === undefined ? null : { key, epoch, ownerId, seq: last.seq, question: null },
    }
  }
}
