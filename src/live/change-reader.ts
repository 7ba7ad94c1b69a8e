import type { Message } from '../entities/message.ts'
import { type Known, readChanges } from '../storage/message/changes.ts'
import { readMessagesAt } from '../storage/message/message.ts'
import type { Store } from '../storage/postgres/store.ts'
import { type Chunk, type ChunkReads, readStreaming } from '../storage/stream/stream-chunks.ts'
import { type ConversationChange, toChanges } from './conversation-change.ts'
import type { Batch, Reader } from './feed.ts'
import type { HeldReads } from './shared-reads.ts'

const rowsPerRead = 20
/** Below all hints, those of text too: any of them is a reason to read. */
const anyHint = -1
const chunksPerRead = 100

/**
 * What a change feed tells beside the changes: text as it streams, that it has told all there was at its start, and that
 * it is over.
 */
export type FeedEvent =
  | ConversationChange
  | { readonly kind: 'text'; readonly chunk: Chunk; readonly known: Known }
  | { readonly kind: 'caught-up' | 'gone'; readonly known: Known }

/** What changes are read from. */
export interface ChangeSource {
  readonly store: Store
  readonly chunks: ChunkReads
}

/**
 * What happens in a conversation after what is known. Once it has told everything that stood there at its first read it
 * says so, once, and goes on; its end is when the conversation is gone, or begun anew.
 *
 * Text moves no revision, so a cursor does not say how much of a streaming message it knows. A reader tells such a
 * message first, with the text so far and the number of its next chunk, and then the chunks from that number on.
 */
export class ChangeReader<Event> implements Reader<Event> {
  readonly #store: Store
  readonly #chunks: ChunkReads
  readonly #userId: string
  readonly #toEvent: (event: FeedEvent) => Event
  #known: Known
  /** The seqs of streaming messages that are known by their place only and still to be told. */
  #untold: number[] = []
  /** Up to which seq such messages were looked for; what streams later is told as a change. */
  #lookedUpTo = 0
  /** Where the conversation stood at the first read, once that is done. */
  #target: Pick<Known, 'seq' | 'revision'> | null = null
  #isCaughtUp = false
  /** By seq of each streaming message that was told, the number of the chunk that comes next. */
  readonly #streams = new Map<number, number>()

  constructor(from: ChangeSource, userId: string, known: Known, toEvent: (event: FeedEvent) => Event) {
    this.#store = from.store
    this.#chunks = from.chunks
    this.#userId = userId
    this.#known = known
    this.#toEvent = toEvent
  }

  async read(reads: HeldReads, hasMoved: boolean): Promise<Batch<Event>> {
    if (!hasMoved) return this.#tellText(reads)
    // Before the changes: what is told first must not be newer than they are.
    const streaming = await this.#nextStreaming(reads)
    if (streaming !== null) return this.#toBatch([streaming], 'more', anyHint)
    const read = await this.#readChanges(reads)
    if (read === null) return this.#toBatch([{ kind: 'gone', known: this.#known }], 'end', anyHint)
    const { changes, known, events: changeEvents, hasMore } = read
    const { lastSeq, revision } = read.conversation
    const events = [...changeEvents]
    this.#target ??= { seq: lastSeq, revision }
    if (!this.#isCaughtUp && known.seq >= this.#target.seq && known.revision >= this.#target.revision) {
      this.#isCaughtUp = true
      events.push(this.#toEvent({ kind: 'caught-up', known }))
    }
    this.#known = known
    for (const change of changes) if ('message' in change) this.#track(change.message)
    if (hasMore) return { events, rest: 'more', revision }
    if (this.#streams.size === 0) return { events, rest: 'all', revision }
    // Text has a read of its own, or one that failed would lose the changes that were read before it.
    if (events.length > 0) return { events, rest: 'more', revision: anyHint }
    return this.#tellText(reads)
  }

  #toBatch(events: readonly FeedEvent[], rest: Batch<Event>['rest'], revision: number): Batch<Event> {
    return { events: events.map(this.#toEvent), rest, revision }
  }

  /** The next of the streaming messages that are known by their place only; null once all of them were told. */
  async #nextStreaming(reads: HeldReads): Promise<FeedEvent | null> {
    const { key, epoch, seq } = this.#known
    for (;;) {
      if (this.#untold.length === 0 && this.#lookedUpTo < seq) {
        this.#untold = await readStreaming(this.#store, this.#userId, this.#known, this.#lookedUpTo, seq)
        // They come by seq and in bounded number: behind the last of them there may be more.
        this.#lookedUpTo = this.#untold.at(-1) ?? seq
      }
      const [next] = this.#untold
      if (next === undefined) {
        this.#lookedUpTo = Number.POSITIVE_INFINITY
        return null
      }
      const [message] = await reads.once(`message ${this.#userId} ${key} ${epoch} ${next}`, (budget) =>
        readMessagesAt(this.#store, budget, this.#userId, [{ key, epoch, seq: next }]),
      )
      this.#untold.shift()
      if (!message) continue
      this.#track(message)
      // It may have been deleted since it was looked for.
      return { kind: message.deletedAt === null ? 'updated' : 'deleted', message, known: this.#known }
    }
  }

  /** Whoever shares the read shares its events. */
  #readChanges(reads: HeldReads) {
    const { key, epoch, seq, revision } = this.#known
    return reads.once(`changes ${this.#userId} ${key} ${epoch} ${seq} ${revision}`, async (budget) => {
      const read = await readChanges(this.#store, budget, this.#userId, this.#known, rowsPerRead)
      if (read === null) return null
      const { changes, known } = toChanges(this.#known, read)
      return { ...read, changes, known, events: changes.map(this.#toEvent) }
    })
  }

  #track(message: Message): void {
    if (message.nextChunk === null) this.#streams.delete(message.seq)
    else this.#streams.set(message.seq, Math.max(message.nextChunk, this.#streams.get(message.seq) ?? 0))
  }

  async #tellText(reads: HeldReads): Promise<Batch<Event>> {
    const { key, epoch } = this.#known
    const from = [...this.#streams].flat().join(' ')
    const { chunks, events, hasMore } = await reads.once(
      `chunks ${this.#userId} ${key} ${epoch} ${this.#known.seq} ${this.#known.revision} ${from}`,
      async (budget) => {
        const request = { userId: this.#userId, key, epoch, from: this.#streams, count: chunksPerRead }
        const read = await this.#chunks.read(budget, request)
        const toText = (chunk: Chunk) => this.#toEvent({ kind: 'text', chunk, known: this.#known })
        return { ...read, events: read.chunks.map(toText) }
      },
    )
    for (const { seq, chunk } of chunks) this.#streams.set(seq, chunk + 1)
    return { events, rest: hasMore ? 'more' : 'all', revision: anyHint }
  }
}
