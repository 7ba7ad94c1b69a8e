import type { JsonRecord } from '../../entities/json.ts'
import type { PartsFormat } from '../../entities/message-enums.ts'
import { isRecord } from './json.ts'

/** A stored part and its dialect. A window of the same dialect gives the part back unchanged. */
export interface Raw {
  readonly format: PartsFormat
  readonly part: unknown
  /** The item of the Responses API that has this part in its `content`. */
  readonly within?: JsonRecord
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
  /** `image/*` for a picture of unknown type. */
  readonly mediaType: string
  readonly filename: string | null
  /** null when the file lies with a provider, and only that provider can read it. */
  readonly source: { readonly url: string } | { readonly base64: string } | null
  readonly raw: Raw
}

/** A part that no other dialect can express. */
export interface Other {
  readonly kind: 'other'
  readonly raw: Raw
}

export interface Call {
  readonly kind: 'call'
  readonly callId: string
  readonly name: string
  /** `custom` for a tool that takes a text instead of JSON; every other type is treated as a function. */
  readonly type: string
  /** The text that the model wrote; the JSON text of arguments that were stored as a JSON value. */
  readonly arguments: string
  readonly raw: Raw | null
  /** The `extra` of the message's `ToolCall`. */
  readonly extra: JsonRecord | null
}

export type Output = Text | Refusal | File | Other

export interface Result {
  readonly kind: 'result'
  readonly callId: string
  readonly name: string | null
  readonly isError: boolean
  readonly output: readonly Output[]
  readonly raw: Raw | null
}

/** Where a step of the AI SDK begins. */
export interface StepStart {
  readonly kind: 'step'
}

/** What a speaker says. Nobody says a result: it answers a call. */
export type Said = Text | Refusal | Reasoning | File | Other | Call
export type Item = Said | Result | StepStart

export function isOutput(item: Item): item is Output {
  return item.kind === 'text' || item.kind === 'refusal' || item.kind === 'file' || item.kind === 'other'
}

/** The stored part, when it is of this dialect; otherwise null. */
export function ownPart(item: { readonly raw: Raw | null }, format: PartsFormat): JsonRecord | null {
  return item.raw?.format === format && isRecord(item.raw.part) ? item.raw.part : null
}
