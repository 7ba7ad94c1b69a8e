import { Connection, type ConnectionOptions, Refusal } from '../connection/connection.ts'
import { FinalError, finalAnswer } from '../connection/final-answer.ts'
import type { ContextRequest, ContextWindow } from '../message/context-window.ts'
import { pick } from '../schema/pick.ts'
import { contextField, contextVariables, messageSelection, startFields } from '../schema/selections.ts'
import type {
  CompleteMessageInput,
  Message,
  MessageErrorInput,
  MessageStatus,
  StartMessageInput,
} from '../schema/types.ts'
import { type Chunk, Outbox } from './outbox.ts'

export type StreamOptions = ConnectionOptions & ProducerOptions & (NewMessage | StoredMessage)

interface ProducerOptions {
  /** Fields of `Message`, for those that come back. */
  readonly selection?: string
  /** Leaves the message as it is: the server fails it when its time is over. */
  readonly signal?: AbortSignal
  /** In characters: `drained()` waits while more than this is not accepted; 262,144. */
  readonly maxUnsent?: number
  /** How long the server waits for a sign of life, which this gives by itself; 60, or as the message was started. */
  readonly timeoutSeconds?: number
}

interface NewMessage extends StartMessageInput {
  readonly messageId?: undefined
  /** Reads with the start what a model is to answer to: see `MessageStream.context`. */
  readonly context?: ContextRequest
}

/** A message whose producer is gone, to be taken over. */
interface StoredMessage {
  readonly messageId: string
}

/** How a message ends. */
export interface Completion extends Omit<CompleteMessageInput, 'messageId' | 'attempt' | 'chunks' | 'status'> {
  readonly status?: Exclude<MessageStatus, 'STREAMING'>
}

/** A message that is being written. */
export interface MessageStream<Selected = Message> {
  /** The message once the server has it, with the text so far of one that is taken over. */
  readonly started: Promise<Selected>
  /** As `started` answered it; null until then. */
  readonly message: Selected | null
  readonly messageId: string | null
  readonly attempt: number | null
  /**
   * Of the option `context`: the conversation up to this message, without it. It fails with CONTEXT_TOO_SMALL when not
   * even the newest turn fits; the message is started all the same, and to be ended. Never settles without the option.
   */
  readonly context: Promise<ContextWindow>
  /** Whether somebody asked it to stop: end it with `complete({ status: 'CANCELLED' })`. */
  readonly stopRequested: boolean
  /** Aborted at the moment when that is known. */
  readonly stopSignal: AbortSignal
  /**
   * Adds text, and never waits. What is written while a call is out goes together; text with data is a chunk of its own.
   *
   * @throws StreamError what has ended the message
   */
  write(text: string, data?: unknown): void
  /** Settles when little enough is unsent. @throws StreamError */
  drained(): Promise<void>
  /**
   * Ends it once everything that was written is stored, however long that takes. What the server does not accept as its end
   * may be tried again otherwise.
   *
   * @throws StreamError
   */
  complete(completion?: Completion): Promise<Selected>
  /** Ends it as FAILED, with what was written. @throws StreamError */
  fail(error: MessageErrorInput): Promise<Selected>
}

/** What the server answered, where trying again would not help. */
export class StreamError extends FinalError {
  override readonly name = 'StreamError'
  /** Of a conflict: `NOT_STREAMING`, `ATTEMPT`, `LAST_SEQ`, `CLIENT_ID`, or `STARTED`: another one has written to it. */
  declare readonly reason: string | null
}

/**
 * Starts a message, or takes one over, and writes it piece by piece, through whatever happens to the connection: it tries
 * again for ever, and keeps every piece until a server has said that it is stored.
 *
 * A text that the server does not take, as one that is too long, fails the message with that error.
 */
export function streamMessage<Selected = Message>(options: StreamOptions): MessageStream<Selected> {
  return new Producer<Selected>(options, null)
}

/** As `streamMessage`, on a connection that is somebody else's, and kept. Nothing else runs on it meanwhile. */
export function streamMessageOn(connection: Connection, options: StreamOptions): MessageStream {
  return new Producer<Message>(options, connection)
}

/** Of what was written, and not of the message. */
const refusedInput = ['BAD_USER_INPUT', 'PAYLOAD_TOO_LARGE']

const defaultMaxUnsent = 262_144
const defaultTimeoutSeconds = 60
/** With so much that was sent and is not said to be stored, the next answer is to come after it is. */
const maxKept = 262_144

/** How it ends, and who waits for that. */
interface Ending<Selected> {
  readonly input: Completion
  readonly resolve: (message: Selected) => void
  readonly reject: (error: unknown) => void
}

interface Progress {
  readonly nextChunk: number
  readonly storedChunks: number
  readonly stopRequested: boolean
}

/** What this needs of a message, whatever else is selected. */
interface Streaming {
  readonly id: string
  readonly nextChunk: number | null
  readonly deletedAt: string | null
  readonly stopRequestedAt: string | null
}

/**
 *     starting ──▶ writing ── complete(), fail(), a text that is refused ──▶ ending ──▶ over
 *        │           │ ▲                                                      │ ▲
 *        │      lost ▼ │ after a while                                   lost ▼ │ after a while
 *        │         waiting                                                  waiting
 *        └── refused, or another one writes: over
 */
class Producer<Selected> implements MessageStream<Selected> {
  readonly started: Promise<Selected>
  readonly context: Promise<ContextWindow>
  readonly #options: StreamOptions
  readonly #connection: Connection
  readonly #isShared: boolean
  readonly #over = new AbortController()
  readonly #stop = new AbortController()
  readonly #outbox = new Outbox()
  readonly #clientId: string | null
  readonly #selection: string
  #onStarted: Pick<Ending<Selected>, 'resolve' | 'reject'>
  #onContext: Pick<Ending<ContextWindow>, 'resolve' | 'reject'>
  /** Whether there is no window, and the start is to be asked for without one. */
  #isWithoutContext = false
  #message: Selected | null = null
  #messageId: string | null
  #attempt: number | null = null
  /** Whether the numbers of this producer's chunks are known to begin where the message's end. */
  #isPlaced = false
  /** Calls to take over that nobody answered: they may still be on their way. */
  #lostTakeovers = 0
  /** Whether the server may have lost what it had accepted. */
  #mustLook = false
  #ending: Ending<Selected> | null = null
  /** How the message has failed because of what was written. */
  #failed: Promise<Selected> | null = null
  #error: unknown = null
  #waiting: (() => void)[] = []

  constructor(options: StreamOptions, shared: Connection | null) {
    this.#options = options
    this.#messageId = options.messageId ?? null
    this.#clientId = options.messageId === undefined ? (options.clientId ?? crypto.randomUUID()) : null
    this.#selection = `id nextChunk deletedAt stopRequestedAt ${options.selection ?? messageSelection}`
    const { promise, ...onStarted } = settleable<Selected>()
    this.started = promise
    this.#onStarted = onStarted
    const { promise: context, ...onContext } = settleable<ContextWindow>()
    this.context = context
    this.#onContext = onContext
    this.#isShared = shared !== null
    this.#connection = shared ?? new Connection(options, this.#over.signal, true)
    this.#connection.onLost = () => this.#lose()
    const { signal } = options
    const abort = () => this.#close(signal?.reason)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true, signal: this.#over.signal })
    void this.#run()
  }

  get message(): Selected | null {
    return this.#message
  }

  get messageId(): string | null {
    return this.#messageId
  }

  get attempt(): number | null {
    return this.#attempt
  }

  get stopRequested(): boolean {
    return this.#stop.signal.aborted
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal
  }

  write(text: string, data?: unknown): void {
    if (this.#error !== null) throw this.#error
    if (this.#ending !== null || this.#over.signal.aborted) throw new Error(isEnded)
    this.#outbox.write(text, data)
    this.#wake()
  }

  async drained(): Promise<void> {
    const { maxUnsent = defaultMaxUnsent } = this.#options
    while (this.#error === null && this.#outbox.unsent > maxUnsent) await this.#change()
    if (this.#error !== null) throw this.#error
  }

  async complete(completion: Completion = {}): Promise<Selected> {
    if (this.#error !== null) throw this.#error
    return this.#endWith(completion)
  }

  async fail(error: MessageErrorInput): Promise<Selected> {
    if (this.#failed !== null) return this.#failed
    return this.complete({ status: 'FAILED', error: { code: error.code, message: error.message } })
  }

  #endWith(input: Completion): Promise<Selected> {
    if (this.#ending !== null || this.#over.signal.aborted) throw new Error(isEnded)
    const { promise, ...settle } = settleable<Selected>()
    this.#ending = { input, ...settle }
    this.#wake()
    return promise
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        await this.#step()
        this.#wake()
      } catch (reason) {
        if (this.#over.signal.aborted) return
        const error = finalError(reason)
        if (error === null) await this.#connection.wait(reason)
        else this.#close(error)
      }
    }
  }

  async #step(): Promise<void> {
    if (this.#attempt === null) return this.#messageId === null ? this.#start() : this.#takeOver(this.#messageId)
    const chunk = this.#outbox.next(this.#ending !== null)
    if (chunk !== null) return this.#send(chunk)
    if (this.#ending !== null) return this.#end(this.#ending)
    if (await this.#isIdle()) await this.#send(null)
  }

  async #start(): Promise<void> {
    const { clientId, context, ...options } = this.#options as NewMessage & ProducerOptions
    const input = pick({ ...options, clientId: this.#clientId }, startFields)
    const window = this.#isWithoutContext ? undefined : context
    const query = `mutation ($input: StartMessageInput!${window ? `, ${contextVariables}` : ''}) { startMessage(input: $input) {
      attempt replayed message { ${this.#selection} } ${window ? `conversation { ${contextField} }` : ''}
    } }`
    const answer = await this.#withoutContext(() => this.#ask(query, input, window))
    if (answer === null) return
    const { attempt, replayed, message, conversation } = answer.startMessage as Begun & Replayed
    if (conversation !== undefined) this.#onContext.resolve(conversation.context)
    if (attempt === 0) throw isOver(message)
    this.#messageId = message.id
    // Whoever drew the client id is alone with it. One that was given may be another's, who would write the same numbers.
    if (replayed && clientId !== undefined) return
    this.#begin(attempt, message)
  }

  /** A start that fails because of its window is made all the same: it is asked again without one. */
  async #withoutContext(start: () => Promise<Record<string, unknown>>): Promise<Record<string, unknown> | null> {
    try {
      return await start()
    } catch (reason) {
      const error = finalError(reason)
      if (error === null || !(reason instanceof Refusal && reason.path.includes('context'))) throw reason
      this.#onContext.reject(error)
      this.#isWithoutContext = true
      return null
    }
  }

  async #takeOver(messageId: string): Promise<void> {
    const query = `mutation ($input: ResumeMessageInput!) { resumeMessage(input: $input) {
      attempt message { ${this.#selection} }
    } }`
    try {
      const { attempt, message } = (await this.#ask(query, { messageId })).resumeMessage as Begun
      this.#begin(attempt, message)
    } catch (reason) {
      if (finalError(reason) === null) this.#lostTakeovers += 1
      throw reason
    }
  }

  #begin(attempt: number, message: Streaming): void {
    const next = message.nextChunk ?? 0
    if (!this.#isPlaced) {
      if (next > 0 && this.#options.messageId === undefined) throw startedByAnother(message.id)
      this.#outbox.beginAt(next)
      this.#isPlaced = true
    }
    this.#moveTo(next)
    this.#attempt = attempt
    if (message.stopRequestedAt !== null) this.#stop.abort()
    this.#message ??= message as Selected
    this.#onStarted.resolve(this.#message)
  }

  /** @param chunk null: only a sign of life */
  async #send(chunk: Chunk | null): Promise<void> {
    const query = `mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) {
      nextChunk storedChunks stopRequested
    } }`
    const durable = this.#outbox.keptSize > maxKept
    const piece = chunk ?? { chunk: this.#outbox.count, text: '' }
    const { messageId, attempt } = this
    await this.#unlessElsewhere(async () => {
      const answer = await this.#ask(query, { messageId, attempt, durable, ...piece })
      this.#mustLook = false
      const progress = answer.appendMessageText as Progress
      this.#moveTo(progress.nextChunk)
      this.#outbox.forget(progress.storedChunks)
      if (progress.stopRequested) this.#stop.abort()
    }, this.#refuseText)
  }

  async #end(ending: Ending<Selected>): Promise<void> {
    const query = `mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) {
      message { ${this.#selection} }
    } }`
    const { messageId, attempt } = this
    const input = { ...ending.input, messageId, attempt, chunks: this.#outbox.count }
    await this.#unlessElsewhere(
      async () => {
        const { message } = (await this.#ask(query, input)).completeMessage as { message: Selected }
        ending.resolve(message)
        this.#close(null)
      },
      (error) => {
        this.#ending = null
        ending.reject(error)
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
      else if (error.reason === 'ATTEMPT' && this.#lostTakeovers > 0) {
        // One of its own that came late: it, and nobody else, has taken the message over.
        this.#lostTakeovers = 0
        this.#attempt = null
      } else if (refusedInput.includes(error.code)) refuse(error)
      else throw error
    }
  }

  /** The message has failed, and what was written and not accepted is left out. */
  readonly #refuseText = (error: StreamError): void => {
    this.#outbox.discard()
    if (this.#ending?.input.status === 'FAILED') return
    this.#ending?.reject(error)
    this.#ending = null
    this.#failed = this.#endWith({ status: 'FAILED', error: { code: error.code, message: error.message } })
    this.#error = error
  }

  async #ask(query: string, input: Record<string, unknown>, more: object = {}): Promise<Record<string, unknown>> {
    const answer = await this.#connection.ask({ query, variables: { input, ...more } })
    this.#connection.succeeded()
    return answer
  }

  #moveTo(next: number): void {
    if (this.#outbox.goTo(next)) return
    throw new StreamError('CONFLICT', 'CHUNK', `The server expects chunk ${next}: not only this producer has written.`)
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

  /** @param error what has ended it; null: it is complete */
  #close(error: unknown): void {
    this.#error ??= error
    this.#onStarted.reject(this.#error)
    this.#onContext.reject(this.#error)
    this.#ending?.reject(this.#error)
    this.#over.abort()
    if (!this.#isShared) this.#connection.close()
    this.#wake()
  }
}

const isEnded = 'This message was ended already.'

interface Begun {
  readonly attempt: number
  readonly message: Streaming
}

interface Replayed {
  readonly replayed: boolean
  readonly conversation?: { readonly context: ContextWindow }
}

/** As `Promise.withResolvers`; one whom nobody asks is no fault of the program. */
function settleable<Value>(): { promise: Promise<Value> } & Pick<Ending<Value>, 'resolve' | 'reject'> {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** What became of a message that was started before this start was answered. */
function isOver({ deletedAt }: Streaming): StreamError {
  if (deletedAt !== null) return new StreamError('NOT_FOUND', null, 'This message was deleted.')
  return new StreamError('CONFLICT', 'NOT_STREAMING', 'This message is not streaming any more.')
}

function startedByAnother(messageId: string): StreamError {
  const sentence = `Another producer has written to this message; pass messageId ${messageId} to take it over.`
  return new StreamError('CONFLICT', 'STARTED', sentence)
}

function finalError(reason: unknown): StreamError | null {
  if (reason instanceof StreamError) return reason
  const answer = finalAnswer(reason)
  return answer === null ? null : new StreamError(answer.code, answer.reason, answer.message)
}
