import type { JsonRecord } from '../../entities/json.ts'
import type { PartsFormat } from '../../entities/message/message-enums.ts'
import { isRecord } from './json.ts'
import type { CallAnswer } from './spoken.ts'

/** A stored part and its dialect. A window of the same dialect gives the part back unchanged. */
export interface Raw {
  readonly format: PartsFormat
  readonly part: unknown
  /** The item of the Responses API that has this part in its `content`. */
  readonly within?: JsonRecord
  /** The stored part in whose place a text of the server stands. Then `part` is null. */
  readonly insteadOf?: unknown
  /** The part is written without the id of its item, because the reasoning that the id needs is left out. */
  readonly isIdLost?: true
}

export interface Text {
  readonly kind: 'text'
  readonly text: string
  readonly raw: Raw | null
}

/** The model's words when it refuses to answer. A message's `content` does not have them. */
export interface Refusal {
  readonly kind: 'refusal'
  readonly text: string
  readonly raw: Raw
}

export interface Reasoning {
  readonly kind: 'reasoning'
  readonly text: string
  readonly raw: Raw
}

export interface File {
  readonly kind: 'file'
  /** In the spelling of the providers; `image/*` for a picture of unknown type. */
  readonly mediaType: string
  readonly filename: string | null
  readonly source: FileSource
  readonly raw: Raw
}

/**
 * Where a file is: at an http(s) URL, in bytes, or with a provider, and only that provider can read it. `none`: nobody
 * who gets a window can read it.
 */
export type FileSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'bytes'; readonly base64: string }
  | { readonly kind: 'provider' }
  | { readonly kind: 'none' }

/** A part that no other dialect can express. */
export interface Other {
  readonly kind: 'other'
  readonly raw: Raw
  /** The part holds this call and its result. */
  readonly callId?: string
  /** What people must have answered, because the provider then ran this. */
  readonly answer?: Result
}

/** A call that the caller of the model runs. */
export interface Call {
  readonly kind: 'call'
  readonly callId: string
  readonly name: string
  /**
   * `custom` for a tool that takes a text instead of JSON; every other type is treated as a function, unless the call is
   * `native`.
   */
  readonly type: string
  /** The text that the model wrote; the JSON text of arguments that were stored as a JSON value. */
  readonly arguments: string
  readonly raw: Raw | null
  /** The `extra` of the message's `ToolCall`. */
  readonly extra: JsonRecord | null
  /**
   * The kind of a call that is no function, such as `computer`. Only its own dialect can express it. Its result has the
   * same kind.
   */
  readonly native?: string
  /** The hosted call whose program made this call. */
  readonly callerId?: string
  /** What people were asked about this call, if the call's own part says so. */
  readonly approval?: Approval
  readonly answered?: CallAnswer
  /** The model had not written all of it. */
  readonly isPartial?: boolean
}

/**
 * A call that its provider runs, or the result of one. Both are parts of an assistant's message, stay where they are
 * said, and can be expressed by their own dialect only.
 */
export interface Hosted {
  readonly kind: 'hosted'
  readonly half: 'call' | 'result'
  readonly callId: string
  readonly name: string
  readonly arguments: string
  readonly raw: Raw
  readonly callerId?: string
  readonly approval?: Approval
}

/** Whether a call may run. Both parts are written as in a ModelMessage of the AI SDK. */
export interface Approval {
  readonly id: string
  /** null while nobody has answered. */
  readonly isApproved: boolean | null
  readonly request: JsonRecord
  readonly response: JsonRecord | null
}

/** A part that asks whether a call may run. */
export interface ApprovalRequest {
  readonly kind: 'approval-request'
  readonly approvalId: string
  readonly callId: string
  readonly raw: Raw
}

export interface ApprovalResponse {
  readonly kind: 'approval-response'
  readonly approvalId: string
  readonly isApproved: boolean
  readonly raw: Raw
}

export type Output = Text | Refusal | File | Other

export interface Result {
  readonly kind: 'result'
  readonly callId: string
  readonly name: string | null
  readonly isError: boolean
  readonly output: readonly Output[]
  readonly raw: Raw | null
  /** The kind of the native call that it answers. Then `raw` is the whole result. */
  readonly native?: string
  /** People did not allow the call. */
  readonly isDenial?: boolean
  /** No message holds this result: another item tells that it was given. */
  readonly isInferred?: true
}

/** Where a step of the AI SDK begins. */
export interface StepStart {
  readonly kind: 'step'
}

/** What a speaker says. Nobody says a result: it answers a call. */
export type Said = Text | Refusal | Reasoning | File | Other | Call | Hosted
/** What answers a call, and begins no turn, whoever sends it. */
export type Reply = Result | Hosted | ApprovalResponse
export type Item = Said | ApprovalRequest | Reply | StepStart

export function isOutput(item: Item): item is Output {
  return item.kind === 'text' || item.kind === 'refusal' || item.kind === 'file' || item.kind === 'other'
}

/** The stored part, when it is of this dialect; otherwise null. */
export function ownPart(item: { readonly raw: Raw | null }, format: PartsFormat): JsonRecord | null {
  return item.raw?.format === format && isRecord(item.raw.part) ? item.raw.part : null
}
