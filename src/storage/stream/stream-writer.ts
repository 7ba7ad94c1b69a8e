import { setTimeout as delay } from 'node:timers/promises'
import type { Place } from '../../entities/ids/place.ts'
import { ChunkExpected } from '../../facts.ts'
import { batchSizes, Distribution } from '../../observe/distribution.ts'
import { refOf } from '../message/edit.ts'
import { Gather, type GatherCounts, type Outcome } from '../postgres/gather.ts'
import { isRefused } from '../postgres/refused.ts'
import type { Store } from '../postgres/store.ts'
import { Turns } from '../postgres/turns.ts'
import { type Completion, completeMessage } from './stream-end.ts'
import { addChunks, type NewChunk, requireAdded, type StreamRef, type StreamState } from './stream-text.ts'
import { addTogether } from './stream-together.ts'

/** What a producer is told about its stream. */
export interface Progress {
  readonly nextChunk: number
  /** How many chunks are durable. */
  readonly storedChunks: number
  readonly stopRequested: boolean
}

/** A stream whose state was read, and what was accepted for it since then. */
interface Open {
  readonly userId: string
  readonly attempt: number
  nextChunk: number
  storedChunks: number
  /** UTF-8 bytes of the message and its chunks. */
  size: number
  stopRequested: boolean
  /** Settles when the chunk that was accepted last is stored, or is known to be lost. */
  last: Promise<void>
}

const runItems = 1_000
const runBytes = 4 * 1024 * 1024
/** If more bytes than this are accepted and not stored, the next chunk waits until it is stored. */
const maxUnstored = 16 * 1024 * 1024
/** How many streams are remembered. The state of any other stream is read again. */
const maxOpen = 10_000
/** How many milliseconds the end of the server waits for accepted chunks to be stored. */
const patienceMs = 1_000
/** How many times the writer looks for a chunk that another server may hold, with one window between two looks. */
const looks = 5

/**
 * Writes streamed text. The chunks that producers of all streams send within a window go into one statement. The writer
 * may accept a chunk before it is stored; then it promises nothing, and the producer keeps the chunk until it hears
 * that it is stored. Watchers see a chunk once it is stored.
 */
export class StreamWriter implements AsyncDisposable {
  readonly #store: Store
  readonly #maxSize: number
  readonly #windowMs: number
  readonly #gather: Gather<NewChunk, StreamState>
  readonly #turns: Turns
  /** By place. The stream that was used last is at the end. */
  readonly #open = new Map<string, Open>()
  #unstored = 0
  /** Of chunks. */
  readonly gathered: GatherCounts = { batches: new Distribution(batchSizes), waiting: 0, refused: 0 }

  /** @param maxSize of a message, in bytes; @param windowMs milliseconds between two statements; @param waitMs for which a chunk waits for its statement at most */
  constructor(store: Store, maxSize: number, windowMs: number, waitMs: number) {
    this.#store = store
    this.#maxSize = maxSize
    this.#windowMs = windowMs
    // Other work keeps half of the connections. While a stream waits for its turn, its next chunks gather.
    this.#turns = new Turns(Math.ceil(store.pool.options.max / 2))
    this.#gather = new Gather<NewChunk, StreamState>({
      name: 'text',
      counts: this.gathered,
      keyOf: streamKey,
      sizeOf: ({ size }) => size,
      run: (chunks) => this.#run(chunks),
      windowMs,
      waitMs,
      runItems,
      runItemsOfKey: runItems,
      runSize: runBytes,
    })
  }

  /**
   * Adds a chunk, and answers when it is durable. Empty text without data is only a sign of life. A chunk that is
   * stored already is acknowledged and not added again.
   *
   * @throws MessageMissing, ChunkExpected, AttemptOver, NotStreaming, TextTooLarge
   */
  async add(chunk: NewChunk): Promise<Progress> {
    return this.#remember(chunk, await (isChunk(chunk) ? this.#awaitStored(chunk) : this.#addTo(chunk, [])))
  }

  /**
   * Does the same as `add`, but answers before the chunk is stored, if possible. Then the chunk may still be lost,
   * and later answers say so.
   */
  async accept(chunk: NewChunk): Promise<Progress> {
    const open = this.#find(chunk)
    if (open === undefined || !isChunk(chunk) || chunk.number > open.nextChunk) return this.add(chunk)
    if (chunk.number === open.nextChunk) {
      const isLarge = open.size + chunk.size > this.#maxSize || this.#unstored + chunk.size > maxUnstored
      if (isLarge) return this.add(chunk)
      this.#storeLater(chunk, open)
    }
    return progress(open)
  }

  /**
   * Ends a stream, after the chunks that servers still hold of it are stored.
   *
   * @throws as `completeMessage`
   */
  async complete(userId: string, place: Place, completion: Completion): ReturnType<typeof completeMessage> {
    const { attempt, chunks } = completion
    this.#gather.hurry()
    await this.#find({ userId, place, attempt })?.last
    const ref = refOf(userId, place)
    const completed = await this.#patiently(chunks, () => completeMessage(this.#store, ref, completion))
    this.forget(place)
    return completed
  }

  /** To be called when something else changed the message: the next chunk then reads the state of the stream again. */
  forget(place: Place): void {
    this.#open.delete(nameOf(place))
  }

  #find({ userId, place, attempt }: StreamRef): Open | undefined {
    const open = this.#open.get(nameOf(place))
    return open?.userId === userId && open.attempt === attempt ? open : undefined
  }

  /** Accepts the chunk now, and stores it with one of the next statements. */
  #storeLater(chunk: NewChunk, open: Open): void {
    open.nextChunk += 1
    open.size += chunk.size
    this.#unstored += chunk.size
    const isCurrent = () => this.#find(chunk) === open
    open.last = this.#awaitStored(chunk)
      .then(
        (state) => void (isCurrent() && this.#remember(chunk, state)),
        // The producer's next call reads the state of the stream from the database.
        () => void (isCurrent() && this.forget(chunk.place)),
      )
      .finally(() => {
        this.#unstored -= chunk.size
      })
  }

  #remember(stream: StreamRef, state: StreamState): Progress {
    const { userId, attempt } = stream
    const fresh = { userId, attempt, nextChunk: 0, storedChunks: 0, size: 0, stopRequested: false }
    const open: Open = this.#find(stream) ?? { ...fresh, last: Promise.resolve() }
    // Answers may come in any order, but a stream only moves forward.
    open.storedChunks = Math.max(open.storedChunks, state.nextChunk)
    open.nextChunk = Math.max(open.nextChunk, state.nextChunk)
    open.size = Math.max(open.size, state.size)
    open.stopRequested ||= state.stopRequested
    this.forget(stream.place)
    this.#open.set(nameOf(stream.place), open)
    const [oldest] = this.#open.keys()
    if (this.#open.size > maxOpen && oldest !== undefined) this.#open.delete(oldest)
    return progress(open)
  }

  /** The state of the stream after the chunk is stored. */
  #awaitStored(chunk: NewChunk): Promise<StreamState> {
    return this.#patiently(chunk.number, async () => {
      const state = await this.#gather.add(chunk)
      requireAdded(chunk, state, this.#maxSize)
      // A chunk that comes twice counts twice until the next look.
      this.#store.quotas.bytes?.add(chunk.userId, chunk.size)
      return state
    })
  }

  /**
   * Adds chunks of many streams with one statement, unless the database spreads them over machines. A stream to which
   * that statement added nothing gets a transaction of its own, for which the others do not wait.
   */
  async #run(chunks: readonly NewChunk[]): Promise<Outcome<StreamState>[]> {
    const streams = [...Map.groupBy(chunks, streamKey)]
    const states = this.#store.spreads ? [] : await this.#addTogether(streams.map(([, some]) => some))
    const outcomes = new Map(
      streams.map(([key, some], index): [string, Outcome<StreamState>] => {
        const result = states[index]
        return [key, result ? { result } : { later: this.#addTo(some[0] as StreamRef, some) }]
      }),
    )
    return chunks.map((chunk) => outcomes.get(streamKey(chunk)) as Outcome<StreamState>)
  }

  async #addTogether(streams: readonly (readonly NewChunk[])[]): Promise<(StreamState | null)[]> {
    try {
      return await addTogether(this.#store, streams, this.#maxSize)
    } catch (error) {
      // One stream may be to blame. A chunk is never stored twice, so chunks that may have been stored can be sent again.
      if (isRefused(error)) return []
      throw error
    }
  }

  #addTo(stream: StreamRef, chunks: readonly NewChunk[]): Promise<StreamState> {
    return this.#turns.take(() => addChunks(this.#store, stream, chunks, this.#maxSize))
  }

  /**
   * Calls again while chunks are missing before the needed one: another server may hold them until its window ends.
   * After some looks the missing chunks are a gap.
   */
  async #patiently<T>(needed: number, call: () => Promise<T>): Promise<T> {
    for (let look = 1; ; look++) {
      try {
        return await call()
      } catch (error) {
        if (look === looks || !isEarly(error, needed)) throw error
        await delay(this.#windowMs)
      }
    }
  }

  /** Stores what was accepted. It waits one second at most; a chunk that takes longer was never said to be stored. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isOver = new AbortController()
    await Promise.race([
      this.#gather[Symbol.asyncDispose](),
      delay(patienceMs, undefined, { signal: isOver.signal }).catch(() => {}),
    ])
    isOver.abort()
  }
}

function isChunk({ text, data }: NewChunk): boolean {
  return text !== '' || data !== undefined
}

/** A key for each user, message and attempt. */
function streamKey({ userId, place, attempt }: StreamRef): string {
  return `${nameOf(place)} ${attempt} ${userId}`
}

function nameOf({ key, epoch, seq }: Place): string {
  return `${key} ${epoch} ${seq}`
}

function progress({ nextChunk, storedChunks, stopRequested }: Open): Progress {
  return { nextChunk, storedChunks, stopRequested }
}

/** Whether chunks before the needed one are missing. */
function isEarly(error: unknown, needed: number): boolean {
  return error instanceof ChunkExpected && error.nextChunk < needed
}
