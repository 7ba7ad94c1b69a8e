import { setTimeout as delay } from 'node:timers/promises'
import type { Place } from '../../entities/place.ts'
import { ChunkExpected } from '../../facts.ts'
import { refOf } from '../message/edit.ts'
import { Gather, type Outcome } from '../postgres/gather.ts'
import { isRefused } from '../postgres/refused.ts'
import type { Store } from '../postgres/store.ts'
import { type Completion, completeMessage } from './stream-end.ts'
import {
  addChunks,
  beat,
  readStream,
  requireAdded,
  type StreamRef,
  type StreamState,
  streamKey,
  type TextAppend,
} from './stream-text.ts'

/** What a producer is told. */
export interface Progress {
  readonly nextChunk: number
  /** How many chunks are durable. */
  readonly storedChunks: number
  readonly stopRequested: boolean
}

/** A stream whose state was read, and what was accepted for it since. */
interface Open {
  readonly userId: string
  readonly attempt: number
  nextChunk: number
  storedChunks: number
  /** UTF-8 bytes of the message with its chunks. */
  size: number
  stopRequested: boolean
  /** Settles when what was accepted last is stored, or is known not to be. */
  last: Promise<void>
}

const runItems = 1_000
const runBytes = 4 * 1024 * 1024
/** Beyond so many bytes that were accepted and are not stored, an append waits until it is. */
const maxUnstored = 16 * 1024 * 1024
/** The streams whose state is remembered; one that is not is asked for again. */
const maxOpen = 10_000
/** How long its end waits for what was accepted, in milliseconds. */
const patienceMs = 1_000
/** How often a chunk is looked for that another server may hold, a window apart. */
const looks = 5

/**
 * Writes streamed text: what producers of all streams send within a window goes into one statement. It may accept a
 * chunk before that, and then promises nothing: the producer keeps what is not said to be stored. Watchers see a chunk
 * once it is stored.
 */
export class StreamWriter implements AsyncDisposable {
  readonly #store: Store
  readonly #maxSize: number
  readonly #windowMs: number
  readonly #gather: Gather<TextAppend, StreamState>
  /** By place, the one that was used last at the end. */
  readonly #open = new Map<string, Open>()
  #unstored = 0

  /** @param maxSize of a message, in bytes; @param windowMs milliseconds between two statements */
  constructor(store: Store, maxSize: number, windowMs: number) {
    this.#store = store
    this.#maxSize = maxSize
    this.#windowMs = windowMs
    this.#gather = new Gather<TextAppend, StreamState>({
      keyOf: streamKey,
      sizeOf: ({ size }) => size,
      run: (appends) => this.#addTogether(appends),
      windowMs,
      runItems,
      runItemsOfKey: runItems,
      runSize: runBytes,
    })
  }

  /**
   * Adds a chunk, durable when this answers; empty text without data is only a sign of life. A chunk that is there
   * already is acknowledged and not added again.
   *
   * @throws MessageMissing, ChunkExpected, AttemptOver, MessageStreamsNot, TextTooLarge
   */
  async append(append: TextAppend): Promise<Progress> {
    return this.#learn(append, isChunk(append) ? await this.#add(append) : await beat(this.#store, append))
  }

  /** As `append`, but answers at once where it can: the chunk may then still be lost, and later calls say so. */
  async accept(append: TextAppend): Promise<Progress> {
    const open = this.#find(append)
    if (open === undefined || !isChunk(append) || append.chunk > open.nextChunk) return this.append(append)
    if (append.chunk === open.nextChunk) {
      const isLarge = open.size + append.size > this.#maxSize || this.#unstored + append.size > maxUnstored
      if (isLarge) return this.append(append)
      this.#hold(append, open)
    }
    return progress(open)
  }

  /**
   * Ends a stream, once what the servers hold of it is stored.
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

  /** Something else has changed the message: its next chunk looks at what is stored. */
  forget(place: Place): void {
    this.#open.delete(nameOf(place))
  }

  #find({ userId, place, attempt }: StreamRef): Open | undefined {
    const open = this.#open.get(nameOf(place))
    return open?.userId === userId && open.attempt === attempt ? open : undefined
  }

  #hold(append: TextAppend, open: Open): void {
    open.nextChunk += 1
    open.size += append.size
    this.#unstored += append.size
    const isCurrent = () => this.#find(append) === open
    open.last = this.#add(append)
      .then(
        (state) => void (isCurrent() && this.#learn(append, state)),
        // The producer's next call asks the database, and is told where the stream really stands.
        () => void (isCurrent() && this.forget(append.place)),
      )
      .finally(() => {
        this.#unstored -= append.size
      })
  }

  #learn(stream: StreamRef, state: StreamState): Progress {
    const { userId, attempt } = stream
    const fresh = { userId, attempt, nextChunk: 0, storedChunks: 0, size: 0, stopRequested: false }
    const open: Open = this.#find(stream) ?? { ...fresh, last: Promise.resolve() }
    // Answers come in any order, and a stream only moves on.
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

  #add(append: TextAppend): Promise<StreamState> {
    return this.#patiently(append.chunk, async () => {
      const state = await this.#gather.add(append)
      requireAdded(append, state, this.#maxSize)
      return state
    })
  }

  /** One statement; streams that somebody holds have one of their own, and all have when one of them makes it fail. */
  async #addTogether(appends: readonly TextAppend[]): Promise<Outcome<StreamState>[]> {
    const states = await addChunks(this.#store, appends, this.#maxSize, 'skip').catch((error: unknown) => {
      // A chunk is never added twice, so what may have been stored can be sent again.
      if (isRefused(error)) return appends.map(() => null)
      throw error
    })
    const left = appends.filter((_, index) => states[index] === null)
    const alone = new Map([...Map.groupBy(left, streamKey)].map(([key, some]) => [key, this.#addAlone(some)]))
    return appends.map((append, index) => {
      const state = states[index]
      if (state) return { result: state }
      // Every stream without a state has one to come.
      return { later: alone.get(streamKey(append)) as Promise<StreamState> }
    })
  }

  /** Waits for a stream that somebody holds. @throws MessageMissing, MessageStreamsNot */
  async #addAlone(appends: readonly TextAppend[]): Promise<StreamState> {
    const [state] = await addChunks(this.#store, appends, this.#maxSize, 'wait')
    return state ?? readStream(this.#store.pool, appends[0] as StreamRef)
  }

  /** Chunks up to the one that is needed may wait in another server for its window to end: looked for before it is a gap. */
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

  /** Stores what was accepted; what somebody holds for longer than a second was never said to be stored. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isOver = new AbortController()
    await Promise.race([
      this.#gather[Symbol.asyncDispose](),
      delay(patienceMs, undefined, { signal: isOver.signal }).catch(() => {}),
    ])
    isOver.abort()
  }
}

function isChunk({ text, data }: TextAppend): boolean {
  return text !== '' || data !== undefined
}

function nameOf({ key, epoch, seq }: Place): string {
  return `${key} ${epoch} ${seq}`
}

function progress({ nextChunk, storedChunks, stopRequested }: Open): Progress {
  return { nextChunk, storedChunks, stopRequested }
}

/** Whether chunks before the one that is needed are missing. */
function isEarly(error: unknown, needed: number): boolean {
  return error instanceof ChunkExpected && error.nextChunk < needed
}
