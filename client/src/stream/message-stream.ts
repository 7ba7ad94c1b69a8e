import type { ConnectionOptions } from '../connection/connection.ts'
import type { ContextRequest, ContextWindow } from '../message/context-window.ts'
import type {
  CompleteMessageInput,
  Message,
  MessageErrorInput,
  MessageStatus,
  StartMessageInput,
} from '../schema/types.ts'

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
   * The first half of a surrogate pair waits for the next text. NUL, and a half that stays alone, become U+FFFD: the
   * message then has an `error` with the code `NOT_STORED`.
   *
   * @throws StreamError what has ended the message
   */
  write(text: string, data?: unknown): void
  /** Settles when little enough is unsent. @throws StreamError */
  drained(): Promise<void>
  /**
   * Ends it once everything that was written is stored, however long that takes. A field of its end that the server does
   * not accept is left out: the message then has an `error` with the code `NOT_STORED` that says which and why. When
   * nothing can be left out, as when a message says nothing at all, it may be tried again otherwise.
   *
   * @throws StreamError
   */
  complete(completion?: Completion): Promise<Selected>
  /** Ends it as FAILED, with what was written. @throws StreamError */
  fail(error: MessageErrorInput): Promise<Selected>
}
