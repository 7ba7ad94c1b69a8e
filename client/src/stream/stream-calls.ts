import type { Ask } from '../connection/request.ts'
import type { ContextRequest, ContextWindow } from '../message/context-window.ts'
import { contextField, contextVariables, messageSelection } from '../schema/selections.ts'
import type {
  AppendMessageTextInput,
  AppendMessageTextPayload,
  CompleteMessageInput,
  Message,
  StartMessagePayload,
} from '../schema/types.ts'

/** What a producer needs of a message, whatever else is selected. */
export type Streaming = Pick<Message, 'id' | 'nextChunk' | 'deletedAt' | 'stopRequestedAt'>

/** The right to write to a message. */
export type Begun = Pick<StartMessagePayload<Streaming>, 'attempt' | 'message'>

export type Started = Begun &
  Pick<StartMessagePayload, 'replayed'> & { readonly conversation?: { readonly context: ContextWindow } }

/** The mutations of a producer. */
export class StreamCalls<Selected> {
  readonly #ask: Ask
  readonly #selection: string

  /** @param selection fields of `Message`, for those that come back */
  constructor(ask: Ask, selection: string = messageSelection) {
    this.#ask = ask
    this.#selection = `id nextChunk deletedAt stopRequestedAt ${selection}`
  }

  /** @param input of a `StartMessageInput`. @param window what to read with it */
  async start(input: object, window: ContextRequest | undefined): Promise<Started> {
    const query = `mutation ($input: StartMessageInput!${window ? `, ${contextVariables}` : ''}) { startMessage(input: $input) {
      attempt replayed message { ${this.#selection} } ${window ? `conversation { ${contextField} }` : ''}
    } }`
    return (await this.#ask(query, { input, ...window })).startMessage as Started
  }

  /** @param chunks how many the message has to have; null: any number */
  async resume(messageId: string, chunks: number | null): Promise<Begun> {
    const query = `mutation ($input: ResumeMessageInput!) { resumeMessage(input: $input) {
      attempt message { ${this.#selection} }
    } }`
    return (await this.#ask(query, { input: { messageId, chunks } })).resumeMessage as Begun
  }

  async appendText(input: AppendMessageTextInput): Promise<AppendMessageTextPayload> {
    const query = `mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) {
      nextChunk storedChunks stopRequested
    } }`
    return (await this.#ask(query, { input })).appendMessageText as AppendMessageTextPayload
  }

  async complete(input: CompleteMessageInput): Promise<Selected> {
    const query = `mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) {
      message { ${this.#selection} }
    } }`
    return ((await this.#ask(query, { input })).completeMessage as { message: Selected }).message
  }
}
