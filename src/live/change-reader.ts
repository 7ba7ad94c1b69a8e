import type { Conversation } from '../entities/conversation.ts'
import type { Message } from '../entities/message/message.ts'
import { type Changes, type Known, readChanges } from '../storage/message/changes.ts'
import { readMessagesAt } from '../storage/message/message.ts'
import type { AnswerBudget } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import { type Chunk, readChunks, readStreaming } from '../storage/stream/stream-chunks.ts'
import { type ConversationChange, toChanges } from './conversation-change.ts'
import type { Batch, Reader } from './feed.ts'
import type { People, Presence } from './people/people.ts'
import { type PeopleState, readPeopleStates } from './people/people-states.ts'
import type { HeldReads } from './shared-reads.ts'
import { questionOf, readForViewer } from './viewer-reads.ts'
import { states } from './watchers.ts'

const rowsPerRead = 20
/** A revision below that of every hint, also of text hints: each hint makes the feed read. */
const anyHint = -1
const chunksPerRead = 100

/**
 * What a change feed tells. Beside changes these are: text of a message that streams (`text`); that everything which
 * stood there at the start has been told (`caught-up`); that the feed is over (`gone`); and the states of people.
 */
export type FeedEvent =
  | ConversationChange
  | (PeopleState & { readonly known: Known })
  | { readonly kind: 'text'; readonly chunk: Chunk; readonly known: Known }
  | { readonly kind: 'caught-up' | 'gone'; readonly known: Known }

/** What a read of changes brought, with its changes in their order and their events. */
interface ReadChanges<Event> extends Changes {
  readonly changes: readonly ConversationChange[]
  readonly known: Known
  readonly events: readonly Event[]
}

/**
 * Reads what happens in a conversation after what its caller knows. Once it has told everything that stood there at its
 * first read it says so, once, and goes on. It ends when the conversation is deleted, or was deleted and created again.
 *
 * Text moves no revision, so a cursor does not say how much text of a streaming message its holder knows. The reader
 * first tells such a message with the text so far and the number of the next chunk, and then the chunks from that
 * number on.
 */
export class ChangeReader<Event> implements Reader<Event> {
  readonly #store: Store
  readonly #people: People
  readonly #userId: string
  readonly #ownerId: string
  readonly #toEvent: (event: FeedEvent) => Event
  #known: Known
  /** The seqs of streaming messages that lie before the cursor and are still to be told with their text. */
  #untold: number[] = []
  /** Up to which seq the reader has looked for such messages. Later ones are told as changes. */
  #lookedUpTo = 0
  /** Where the conversation stood at the first read; null: before the first read. */
  #target: Pick<Known, 'seq' | 'revision'> | null = null
  #isCaughtUp = false
  /** By the seq of each streaming message that was told, the number of its next chunk. */
  readonly #streams = new Map<number, number>()
  /** null: the feed has not caught up, only the owner ever took part in the conversation, or the feed is over. */
  #presence: Presence | null = null
  /** By kind, the state that was told last. */
  #told: Readonly<Record<string, string | null>> = {}
  #isOver = false

  /** @param ownerId the owner of the conversation */
  constructor(
    store: Store,
    people: People,
    userId: string,
    ownerId: string,
    known: Known,
    toEvent: (event: FeedEvent) => Event,
  ) {
    this.#store = store
    this.#people = people
    this.#userId = userId
    this.#ownerId = ownerId
    this.#known = known
    this.#toEvent = toEvent
  }

  get viewerId(): string {
    return this.#userId
  }

  read(reads: HeldReads, hasMoved: boolean, tell: (batch: Batch<Event>) => void): void {
    if (!hasMoved) this.#tellText(reads, tell)
    else if (this.#lookedUpTo === Number.POSITIVE_INFINITY) this.#tellChanges(reads, tell)
    else this.#tellStreaming(reads, tell).catch((error: unknown) => reads.failed(error))
  }

  readStates(reads: HeldReads, moved: number, tell: (batch: Batch<Event>) => void): void {
    const { key, epoch } = this.#known
    const ask = () => readPeopleStates(this.#store, this.#people, this.#known, moved)
    reads.once(`states ${key} ${epoch} ${moved}`, ask, ({ takingPart, told }) => {
      // The log ends the feed of a user who was removed. Until then it hears nothing of those who are there.
      const mayHear = this.#presence === null || takingPart.has(this.#userId)
      const news = mayHear ? told.filter(({ kind, text }) => text === null || this.#told[kind] !== text) : []
      for (const { kind, text } of news) this.#told = { ...this.#told, [kind]: text }
      const events = news.map((state) => this.#toEvent({ ...state, known: this.#known }))
      tell({ events, rest: 'all', revision: null })
    })
  }

  over(): void {
    this.#isOver = true
    this.#presence?.[Symbol.dispose]()
    this.#presence = null
  }

  /** Tells the next streaming message. Once all of them are told, tells changes. */
  async #tellStreaming(reads: HeldReads, tell: (batch: Batch<Event>) => void): Promise<void> {
    // Read before the changes, because what is told first must not be newer than what is told later.
    const streaming = await this.#nextStreaming(reads)
    if (streaming === null) this.#tellChanges(reads, tell)
    else tell(this.#toBatch([streaming], 'more', anyHint))
  }

  #tellChanges(reads: HeldReads, tell: (batch: Batch<Event>) => void): void {
    this.#readChanges(reads, (read) => {
      if (read === null) return tell(this.#toBatch([{ kind: 'gone', known: this.#known }], 'end', anyHint))
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
      const stirs = this.#meet(read.conversation, changes)
      if (hasMore) tell({ events, rest: 'more', revision, stirs })
      else if (this.#streams.size === 0) tell({ events, rest: 'all', revision, stirs })
      // Text is read in a read of its own: if it failed here, the changes that were just read would be lost.
      else if (events.length > 0) tell({ events, rest: 'more', revision: anyHint, stirs })
      else this.#tellText(reads, tell)
    })
  }

  /** @returns which states are to be told now: from now on its user is here for others, or others take part */
  #meet({ key, userId, participantsRevision }: Conversation, changes: readonly ConversationChange[]): number {
    if (this.#isOver || !this.#isCaughtUp || participantsRevision === null) return states.none
    for (const change of changes) {
      if (change.kind !== 'appended') continue
      const { authorId, authorKind, seq } = change.message
      this.#people.wrote(key, authorId ?? userId, authorKind ?? 'USER', seq)
    }
    // Of whoever takes no part any more, no state tells.
    if (this.#presence !== null) return changes.some(({ kind }) => kind === 'participants') ? states.all : states.none
    this.#presence = this.#people.enter(key, this.#userId)
    return states.all
  }

  #toBatch(events: readonly FeedEvent[], rest: Batch<Event>['rest'], revision: number): Batch<Event> {
    return { events: events.map(this.#toEvent), rest, revision }
  }

  /** The next streaming message that lies before the cursor; null once all of them were told. */
  async #nextStreaming(reads: HeldReads): Promise<FeedEvent | null> {
    const { key, epoch, seq } = this.#known
    for (;;) {
      if (this.#untold.length === 0 && this.#lookedUpTo < seq) {
        this.#untold = await readStreaming(this.#store, this.#userId, this.#known, this.#lookedUpTo, seq)
        // One read brings a limited number of seqs, in their order. There may be more behind the last one.
        this.#lookedUpTo = this.#untold.at(-1) ?? seq
      }
      const [next] = this.#untold
      if (next === undefined) {
        this.#lookedUpTo = Number.POSITIVE_INFINITY
        return null
      }
      const [message] = await new Promise<readonly (Message | null)[]>((take) => {
        const ask = (budget: AnswerBudget) =>
          readMessagesAt(this.#store, budget, this.#userId, [{ key, epoch, seq: next, ownerId: this.#ownerId }])
        reads.once(`message ${this.#userId} ${key} ${epoch} ${next}`, ask, take)
      })
      this.#untold.shift()
      if (!message) continue
      this.#track(message)
      // The message may have been deleted after its seq was read.
      return { kind: message.deletedAt === null ? 'updated' : 'deleted', message, known: this.#known }
    }
  }

  #readChanges(reads: HeldReads, take: (read: ReadChanges<Event> | null) => void): void {
    const { key, epoch, seq, revision } = this.#known
    const from = this.#known
    readForViewer(reads, this.#store, {
      ...this.#viewing(`changes ${key} ${epoch} ${seq} ${revision}`),
      ask: (budget, userId) => readChanges(this.#store, budget, userId, this.#ownerId, from, rowsPerRead),
      toTold: (read) => {
        if (read === null) return null
        const { changes, known } = toChanges(from, read)
        return { ...read, changes, known, events: changes.map(this.#toEvent) }
      },
      take,
    })
  }

  #viewing(what: string) {
    const { key, epoch } = this.#known
    const [userId, ownerId] = [this.#userId, this.#ownerId]
    return { question: questionOf(what, userId, ownerId), userId, where: { key, epoch, ownerId } }
  }

  #track(message: Message): void {
    if (message.nextChunk === null) this.#streams.delete(message.seq)
    else this.#streams.set(message.seq, Math.max(message.nextChunk, this.#streams.get(message.seq) ?? 0))
  }

  #tellText(reads: HeldReads, tell: (batch: Batch<Event>) => void): void {
    const known = this.#known
    const { key, epoch, seq, revision } = known
    const from = [...this.#streams].flat().join(' ')
    readForViewer(reads, this.#store, {
      ...this.#viewing(`chunks ${key} ${epoch} ${seq} ${revision} ${from}`),
      ask: (budget, userId) =>
        readChunks(this.#store, budget, { userId, key, epoch, from: this.#streams, count: chunksPerRead }),
      toTold: (read) => ({
        ...read,
        events: read.chunks.map((chunk) => this.#toEvent({ kind: 'text', chunk, known })),
      }),
      take: ({ chunks, events, hasMore }) => {
        for (const { seq, chunk } of chunks) this.#streams.set(seq, chunk + 1)
        tell({ events, rest: hasMore ? 'more' : 'all', revision: anyHint })
      },
    })
  }
}
