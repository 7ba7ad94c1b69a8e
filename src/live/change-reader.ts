import type { Message } from '../entities/message.ts'
import type { AnswerBudget } from '../storage/answer-budget.ts'
import { type Known, readChanges } from '../storage/changes.ts'
import { readMessagesAt } from '../storage/message.ts'
import type { Store } from '../storage/store.ts'
import { type Chunk, readChunks, readStreaming } from '../storage/stream-chunks.ts'
import { type ConversationChange, toChanges } from './conversation-change.ts'
import type { Batch, Reader } from './feed.ts'

const rowsPerRead = 20
const chunksPerRead = 100

/**
 * What a change feed tells beside the changes: text as it streams, that it has told all there was at its start, and that
 * it is over.
 */
export type FeedEvent =
  | ConversationChange
  | { readonly kind: 'text'; readonly chunk: Chunk; readonly known: Known }
  | { readonly kind: 'caught-up' | 'gone'; readonly known: Known }

/**
 * What happens in a conversation after what is known. Once it has told everything that stood there at its first read it
 * says so, once, and goes on; its end is when the conversation is gone, or begun anew.
 *
 * Text moves no revision, so a cursor does not say how much of a streaming message it knows. A reader tells such a
 * message first, with the text so far and the number of its next chunk, and then the chunks from that number on.
 */
export class ChangeReader<Event> implements Reader<Event> {
  readonly #store: Store
  readonly #userId: string
  readonly #toEvent: (event: FeedEvent) => Event
  #known: Known
  /** Where the conversation stood at the first read, once that is done. */
  #target: Pick<Known, 'seq' | 'revision'> | null = null
  #isCaughtUp = false
  /** By seq of each streaming message that was told, the number of the chunk that comes next. */
  readonly #streams = new Map<number, number>()

  constructor(store: Store, userId: string, known: Known, toEvent: (event: FeedEvent) => Event) {
    this.#store = store
    this.#userId = userId
    this.#known = known
    this.#toEvent = toEvent
  }

  async read(budget: AnswerBudget): Promise<Batch<Event>> {
    // Before the changes: what is told first must not be newer than they are.
    const told = this.#target === null ? await this.#tellStreaming(budget) : []
    const read = await readChanges(this.#store, budget, this.#userId, this.#known, rowsPerRead)
    if (read === null) {
      return { events: [this.#toEvent({ kind: 'gone', known: this.#known })], rest: 'end', revision: 0 }
    }
    const { lastSeq, revision } = read.conversation
    const { changes, known } = toChanges(this.#known, read)
    const events: FeedEvent[] = [...told, ...changes]
    this.#target ??= { seq: lastSeq, revision }
    this.#known = known
    for (const event of events) if ('message' in event) this.#track(event.message)
    if (!this.#isCaughtUp && known.seq >= this.#target.seq && known.revision >= this.#target.revision) {
      this.#isCaughtUp = true
      events.push({ kind: 'caught-up', known })
    }
    const chunks = read.hasMore || this.#streams.size === 0 ? [] : await this.#readText()
    events.push(...chunks.map((chunk) => ({ kind: 'text', chunk, known }) as const))
    return {
      events: events.map(this.#toEvent),
      rest: read.hasMore || chunks.length === chunksPerRead ? 'more' : 'all',
      // Text moves no revision: while there may be some, every look at the conversation is a reason to read.
      revision: this.#streams.size > 0 ? 0 : revision,
    }
  }

  /** The streaming messages that are known by their place only. */
  async #tellStreaming(budget: AnswerBudget): Promise<FeedEvent[]> {
    const { key, epoch, seq } = this.#known
    const seqs = seq === 0 ? [] : await readStreaming(this.#store, key, seq)
    if (seqs.length === 0) return []
    const places = seqs.map((one) => ({ key, epoch, seq: one }))
    const messages = await readMessagesAt(this.#store, budget, this.#userId, places)
    return messages
      .filter((message) => message !== null)
      .map((message) => ({ kind: 'updated', message, known: this.#known }))
  }

  #track(message: Message): void {
    if (message.nextChunk === null) this.#streams.delete(message.seq)
    else this.#streams.set(message.seq, Math.max(message.nextChunk, this.#streams.get(message.seq) ?? 0))
  }

  async #readText(): Promise<Chunk[]> {
    const chunks = await readChunks(this.#store, this.#userId, this.#known, this.#streams, chunksPerRead)
    for (const { seq, chunk } of chunks) this.#streams.set(seq, chunk + 1)
    return chunks
  }
}
