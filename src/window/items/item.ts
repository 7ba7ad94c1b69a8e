import type { JsonRecord } from '../../entities/json.ts'
import type { PartsFormat } from '../../entities/message-enums.ts'
import { isRecord } from './json.ts'

/** A part as it was stored, and whose it is: a window of the same dialect gives it back as it is. */
export interface Raw {
  readonly format: PartsFormat
  readonly part: unknown
  /** The item of the Responses API whose content it is. */
  readonly within?: JsonRecord
}

export interface Text {
  readonly kind: 'text'
  readonly text: string
  readonly raw: Raw | null
}

/** What the model said instead of an answer; not part of a message's `content`. */
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
  /** `image/*` where only that much is known. */
  readonly mediaType: string
  readonly filename: string | null
  /** null when it lies with one provider, who alone can read it. */
  readonly source: { readonly url: string } | { readonly base64: string } | null
  readonly raw: Raw
}

/** What only its own dialect has words for. */
export interface Other {
  readonly kind: 'other'
  readonly raw: Raw
}

export interface Call {
  readonly kind: 'call'
  readonly callId: string
  readonly name: string
  /** `custom` for a tool that takes a text and not JSON; all else is a function. */
  readonly type: string
  /** As the model wrote them; those that were stored as JSON, as JSON's text. */
  readonly arguments: string
  readonly raw: Raw | null
  /** What else a `ToolCall` holds. */
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

/** What somebody says; a result is an answer to it. */
export type Said = Text | Refusal | Reasoning | File | Other | Call
export type Item = Said | Result | StepStart

export function isOutput(item: Item): item is Output {
  return item.kind === 'text' || item.kind === 'refusal' || item.kind === 'file' || item.kind === 'other'
}

/** The part as it was stored, when it is of this dialect. */
export function ownPart(item: { readonly raw: Raw | null }, format: PartsFormat): JsonRecord | null {
  return item.raw?.format === format && isRecord(item.raw.part) ? item.raw.part : null
}
