import type { Message } from '../entities/message.ts'
import type { ContextFormat, OmissionReason } from '../entities/window-enums.ts'
import type { Spoken } from './spoken.ts'

/** A message, stored unless it is the new one, and how many tokens a model reads of it, apart from its reasoning. */
export interface Counted<M extends Spoken = Message> {
  readonly message: M
  readonly tokens: number
  readonly reasoningTokens: number
}

export interface WindowRequest {
  readonly format: ContextFormat
  /** For the window and the reserve together. */
  readonly maxTokens: number
  readonly reserve: number
  /** What the caller puts before all that is stored. */
  readonly system: { readonly text: string; readonly tokens: number } | null
  /** What is not stored yet, and comes last. */
  readonly userMessage: Counted<Spoken> | null
}

export interface ContextWindow {
  /** What the provider takes apart from the messages; null where it takes nothing apart, and where there is nothing. */
  readonly system: unknown
  readonly messages: readonly unknown[]
  readonly tokenCount: number
  /** The stored messages of which something is in the window, the leading ones too, oldest first. */
  readonly included: readonly Message[]
  readonly reasons: readonly OmissionReason[]
  /** Of what is included after the leading messages; null when nothing is. */
  readonly firstSeq: number | null
  readonly lastSeq: number | null
}

/**
 * Makes the window that a model reads out of a conversation that is read backwards: until it `isFull`, or there are no more.
 */
export class WindowBuilder {
  /** @param leading the SYSTEM and DEVELOPER messages that the conversation begins with, oldest first */
  constructor(
    readonly request: WindowRequest,
    readonly leading: readonly Counted[],
  ) {}

  /** @param older newest first, and all older than what was added before; the leading ones among them count once */
  add(older: readonly Counted[]): void {
    throw new Error(`not built yet: ${older.length}`)
  }

  /** Nothing older can come into this window. */
  get isFull(): boolean {
    return false
  }

  /** @throws ApiError BAD_USER_INPUT, reason CONTEXT_TOO_SMALL, when not even the newest turn fits */
  finish(): ContextWindow {
    throw new Error('not built yet')
  }
}
