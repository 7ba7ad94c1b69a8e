import type { JsonRecord } from '../../entities/json.ts'
import { asText } from './json.ts'

/** What a model reads of a call that was not allowed: the reason, or else the sentence that the AI SDK writes. */
export function denialText({ reason }: JsonRecord): string {
  return asText(reason) ?? 'Tool call execution denied.'
}
