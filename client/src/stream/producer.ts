import { Connection, Refusal } from '../connection/connection.ts'
import type { ContextRequest, ContextWindow } from '../message/context-window.ts'
import { pick } from '../schema/pick.ts'
import { startFields } from '../schema/selections.ts'
import type { Message, MessageErrorInput, StartMessageInput } from '../schema/types.ts'
import type { Completion, MessageStream, StreamOptions } from './message-stream.ts'
import { type Chunk, Outbox } from './outbox.ts'
import { withAlteredText, withoutRefused, withoutUnsendable } from './refused-end.ts'
import { type Begun, StreamCalls, type Streaming } from './stream-calls.ts'
import { finalError, isOver, type StreamError, startedByAnother, writtenByAnother } from './stream-error.ts'

/** Of what was written, and not of the message. */
const refusedInput = ['BAD_USER_INPUT', 'PAYLOAD_TOO_LARGE']

const defaultMaxUnsent = 262_144
const defaultTimeoutSeconds = 60
/** With so much that was sent and is not said to be stored, the next answer is to come after it is. */
const maxKept = 262_144

/**
 * What the producer has of its message.
 *
 *     new ── started ──────────────────▶ held ◀── taken over ── found
 *      │                                 │  ▲                     ▲
 *      │   an older attempt of its own   ▼  │ taken over          │
 *      │   came late, and took it over  lost                      │
 *      └── another producer has started it, and not written ──────┘
 */
type Hold = { readonly is: 'new' } | Found | Held | Lost

/** It is there, and this producer has not written to it. */
interface Found {
  readonly is: 'found'
  readonly messageId: string
}

interface Held {
  readonly is: 'held'
  readonly messageId: string
  readonly attempt: number
}

/** The numbers of this producer's chunks begin where they began. */
interface Lost {
  readonly is: 'lost'
  readonly messageId: string
}

/**
 * What becomes of the message. It is ended once it is held and everything that was written is sent.
 *
 *     open ── complete(), fail() ──▶ ending ── the server has ended it ──▶ over
 *      │ ▲                            │  │                                   ▲
 *      │ └ the end is refused, and has ┘ │ a text is refused                 │
 *      │   nothing that it can leave out │                                   │
 *      │                                 ▼                                   │
 *      └──── a text is refused ───▶ failing ── the server has ended it ──────┘
 *
 * From everywhere it is over when the signal is aborted, or the server refuses what trying again would not mend.
 */
type Course<Selected> =
  | { readonly is: 'open' }
  | { readonly is: 'ending'; readonly ending: Ending<Selected> }
  | { readonly is: 'failing'; readonly ending: Ending<Selected>; readonly error: StreamError }
  /** `error`: what has ended it; null: it is complete. `failed`: how it has failed because of a text. */
  | { readonly is: 'over'; readonly error: unknown; readonly failed: Promise<Selected> | null }

/** How it ends, and who waits for that. */
interface Ending<Selected> extends Settleable<Selected> {
  /** Becomes less with each refusal. */
  input: Completion
}

export class Producer<Selected = Message> implements MessageStream<Selected> {
  readonly #options: StreamOptions
  readonly #connection: Connection
  readonly #isShared: boolean
  readonly #calls: StreamCalls<Selected>
  readonly #over = new AbortController()
  readonly #stop = new AbortController()
  readonly #outbox = new Outbox()
  readonly #clientId: string | null
  readonly #started = settleable<Selected>()
  readonly #context = settleable<ContextWindow>()
  /** What the start is to be asked for with it; undefined: nothing, or there is no such window. */
  #window: ContextRequest | undefined
  #message: Selected | null = null
  #hold: Hold
  #course: Course<Selected> = { is: 'open' }
  /** Calls to take over that nobody answered: they may still be on their way. */
  #lostTakeovers = 0
  /** Whether the server may have lost what it had accepted. */
  #mustLook = false
  #waiting: (() => void)[] = []

  /** @param shared a connection that is somebody else's; null: it opens its own */
  constructor(options: StreamOptions, shared: Connection | null) {
    this.#options = options
    const isNew = options.messageId === undefined
    this.#hold = isNew ? { is: 'new' } : { is: 'found', messageId: options.messageId }
    this.#clientId = isNew ? (options.clientId ?? crypto.randomUUID()) : null
    this.#window = isNew ? options.context : undefined
    this.#isShared = shared !== null
    this.#connection = shared ?? new Connection(options, this.#over.signal, true)
    this.#connection.onLost = () => this.#lose()
    this.#calls = new StreamCalls((query, variables) => this.#ask(query, variables), options.selection)
    const { signal } = options
    const abort = () => this.#close(signal?.reason)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true, signal: this.#over.signal })
    void this.#run()
  }

  get started(): Promise<Selected> {
    return this.#started.promise
  }

  get context(): Promise<ContextWindow> {
    return this.#context.promise
  }

  get message(): Selected | null {
    return this.#message
  }

  get messageId(): string | null {
    return this.#hold.is === 'new' ? null : this.#hold.messageId
  }

  get attempt(): number | null {
    return this.#hold.is === 'held' ? this.#hold.attempt : null
  }

  get stopRequested(): boolean {
    return this.#stop.signal.aborted
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal
  }

  write(text: string, data?: unknown): void {
    this.#requireOpen()
    this.#outbox.write(text, data)
    this.#wake()
  }

  async drained(): Promise<void> {
    const { maxUnsent = defaultMaxUnsent } = this.#options
    while (this.#error === null && this.#outbox.unsent > maxUnsent) await this.#change()
    if (this.#error !== null) throw this.#error
  }

  async complete(input: Completion = {}): Promise<Selected> {
    this.#requireOpen()
    this.#outbox.finish()
    const end = withoutUnsendable(input)
    const isAltered = this.#outbox.isAltered && end.content == null
    const ending = { input: isAltered ? withAlteredText(end) : end, ...settleable<Selected>() }
    this.#course = { is: 'ending', ending }
    this.#wake()
    return ending.promise
  }

  async fail({ code, message }: MessageErrorInput): Promise<Selected> {
    const failed = this.#failed
    return failed ?? this.complete({ status: 'FAILED', error: { code, message } })
  }

  #requireOpen(): void {
    if (this.#error !== null) throw this.#error
    if (this.#course.is !== 'open') throw new Error('This message was ended already.')
  }

  /** What is told to whoever writes on; null: nothing went wrong. */
  get #error(): unknown {
    return this.#course.is === 'failing' || this.#course.is === 'over' ? this.#course.error : null
  }

  get #failed(): Promise<Selected> | null {
    if (this.#course.is === 'over') return this.#course.failed
    return this.#course.is === 'failing' ? this.#course.ending.promise : null
  }

  get #ending(): Ending<Selected> | null {
    return this.#course.is === 'ending' || this.#course.is === 'failing' ? this.#course.ending : null
  }

  get #isOver(): boolean {
    return this.#course.is === 'over'
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#step(this.#hold)
        this.#wake()
      } catch (reason) {
        if (this.#isOver) return
        const error = finalError(reason)
        if (error === null) await this.#connection.wait(reason)
        else this.#close(error)
      }
    }
  }

  async #step(hold: Hold): Promise<void> {
    if (hold.is === 'new') return this.#start()
    if (hold.is !== 'held') return this.#takeOver(hold)
    const ending = this.#ending
    const chunk = this.#outbox.next()
    if (chunk !== null) return this.#send(hold, chunk)
    if (ending !== null) return this.#end(hold, ending)
    if (await this.#isIdle()) await this.#send(hold, null)
  }

  async #start(): Promise<void> {
    const options = this.#options as StartMessageInput
    const input = pick({ ...options, clientId: this.#clientId }, startFields)
    const answer = await this.#withoutContext(() => this.#calls.start(input, this.#window))
    if (answer === null) return
    const { attempt, replayed, message, conversation } = answer
    if (conversation !== undefined) this.#context.resolve(conversation.context)
    if (attempt === 0) throw isOver(message)
    // Whoever drew the client id is alone with it. One that was given may be another's, who would write the same numbers.
    if (replayed && typeof options.clientId === 'string') this.#hold = { is: 'found', messageId: message.id }
    else this.#begin({ attempt, message })
  }

  /** A start that fails because of its window is made all the same: it is asked again without one. */
  async #withoutContext<Answer>(start: () => Promise<Answer>): Promise<Answer | null> {
    try {
      return await start()
    } catch (reason) {
      const error = finalError(reason)
      if (error === null || !(reason instanceof Refusal && reason.path.includes('context'))) throw reason
      this.#context.reject(error)
      this.#window = undefined
      return null
    }
  }

  async #takeOver({ is, messageId }: Found | Lost): Promise<void> {
    // Whoever found it by its client id takes it from nobody who has written.
    const mustBeEmpty = is === 'found' && this.#options.messageId === undefined
    try {
      this.#begin(await this.#calls.resume(messageId, mustBeEmpty ? 0 : null))
    } catch (reason) {
      const error = finalError(reason)
      if (error === null) this.#lostTakeovers += 1
      throw mustBeEmpty && error?.reason === 'CHUNK' ? startedByAnother(messageId) : reason
    }
  }

  #begin({ attempt, message }: Begun): void {
    const next = message.nextChunk ?? 0
    if (this.#hold.is !== 'lost') this.#outbox.beginAt(next)
    this.#moveTo(next)
    this.#hold = { is: 'held', messageId: message.id, attempt }
    if (message.stopRequestedAt !== null) this.#stop.abort()
    this.#message ??= message as Streaming & Selected
    this.#started.resolve(this.#message)
  }

  /** @param chunk null: only a sign of life */
  async #send({ messageId, attempt }: Held, chunk: Chunk | null): Promise<void> {
    const durable = this.#outbox.keptSize > maxKept
    const piece = chunk ?? { chunk: this.#outbox.count, text: '' }
    await this.#unlessElsewhere(
      async () => {
        const progress = await this.#calls.appendText({ messageId, attempt, durable, ...piece })
        this.#mustLook = false
        this.#moveTo(progress.nextChunk)
        this.#outbox.forget(progress.storedChunks)
        if (progress.stopRequested) this.#stop.abort()
      },
      (error) => this.#refuseText(error),
    )
  }

  async #end({ messageId, attempt }: Held, ending: Ending<Selected>): Promise<void> {
    const { input, resolve, reject } = ending
    await this.#unlessElsewhere(
      async () => {
        resolve(await this.#calls.complete({ ...input, messageId, attempt, chunks: this.#outbox.count }))
        this.#close(null)
      },
      (error) => {
        const less = withoutRefused(input, error)
        // The text is stored: no field beside it is worth the answer.
        if (less !== null) ending.input = less
        // The end that a refused text has brought cannot be tried otherwise.
        else if (this.#course.is === 'failing') throw error
        else {
          this.#course = { is: 'open' }
          reject(error)
        }
      },
    )
  }

  /** A call that the server may answer with the chunk that it expects, or with another attempt: then it is made again. */
  async #unlessElsewhere(call: () => Promise<void>, refuse: (error: StreamError) => void): Promise<void> {
    try {
      await call()
    } catch (reason) {
      const error = finalError(reason)
      if (error === null) throw reason
      const { nextChunk } = reason instanceof Refusal ? reason.extensions : {}
      if (error.reason === 'CHUNK') this.#moveTo(Number(nextChunk))
      else if (error.reason === 'ATTEMPT' && this.#lostTakeovers > 0 && this.#hold.is === 'held') {
        // One of its own that came late: it, and nobody else, has taken the message over.
        this.#lostTakeovers = 0
        this.#hold = { is: 'lost', messageId: this.#hold.messageId }
      } else if (refusedInput.includes(error.code)) refuse(error)
      else throw error
    }
  }

  /** The message has failed, and what was written and not accepted is left out. */
  #refuseText(error: StreamError): void {
    this.#outbox.discard()
    if (this.#ending?.input.status === 'FAILED') return
    this.#ending?.reject(error)
    const input = { status: 'FAILED', error: { code: error.code, message: error.message } } as const
    this.#course = { is: 'failing', error, ending: { input, ...settleable<Selected>() } }
  }

  async #ask(query: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
    const answer = await this.#connection.ask({ query, variables })
    this.#connection.succeeded()
    return answer
  }

  #moveTo(next: number): void {
    if (!this.#outbox.goTo(next)) throw writtenByAnother(next)
  }

  /** Settles when there is something to do; true: nothing but a sign of life. */
  #isIdle(): Promise<boolean> {
    if (this.#mustLook) return Promise.resolve(true)
    const { timeoutSeconds = defaultTimeoutSeconds } = this.#options
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), (timeoutSeconds * 1000) / 3)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve(false)
      })
    })
  }

  #lose(): void {
    this.#mustLook = this.#outbox.keptSize > 0
    this.#wake()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** @param reason what has ended it; null: it is complete */
  #close(reason: unknown): void {
    const error = this.#error ?? reason
    const failed = this.#failed
    this.#started.reject(error)
    this.#context.reject(error)
    this.#ending?.reject(error)
    this.#course = { is: 'over', error, failed }
    this.#over.abort()
    if (!this.#isShared) this.#connection.close()
    this.#wake()
  }
}

interface Settleable<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

/** As `Promise.withResolvers`; one whom nobody asks is no fault of the program. */
function settleable<Value>(): Settleable<Value> {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
