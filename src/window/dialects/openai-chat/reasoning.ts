import type { JsonRecord } from '../../../entities/json.ts'
import { type Item, ownPart, type Raw, type Reasoning } from '../../items/item.ts'
import { asText, isRecord } from '../../items/json.ts'

/**
 * OpenAI has no field for reasoning. Providers that speak its language answer reasoning beside `content`, each in its own
 * field: `reasoning_content` (DeepSeek, Kimi, Qwen, GLM), `reasoning` and `reasoning_details` (OpenRouter, vLLM). A part of
 * OPENAI_CHAT holds such a field under its own name, with the name as its type:
 * `{ "type": "reasoning_content", "reasoning_content": "…" }`.
 */
const fields = ['reasoning_content', 'reasoning', 'reasoning_details'] as const

export function readReasoning(part: JsonRecord, raw: Raw): Reasoning | null {
  const field = fieldOf(part)
  return field === null ? null : { kind: 'reasoning', text: textOf(part[field]), raw }
}

/**
 * Reasoning before everything else, because it stands beside `content`, and so has no place in it. If a provider says
 * the same in several fields, the text counts once.
 */
export function reasoningFirst(items: readonly Item[]): Item[] {
  const reasoning = items.filter((item) => item.kind === 'reasoning')
  if (reasoning.length === 0) return [...items]
  const fieldOfItem = (item: Reasoning) => fieldOf(ownPart(item, 'OPENAI_CHAT') ?? {})
  const told = fields.find((field) => reasoning.some((item) => fieldOfItem(item) === field && item.text !== ''))
  const once = reasoning.map((item) => (fieldOfItem(item) === told ? item : { ...item, text: '' }))
  return [...once, ...items.filter(({ kind }) => kind !== 'reasoning')]
}

/**
 * What stands beside the `content` of an assistant's message: each field as its provider sent it, and reasoning of other
 * dialects as `reasoning_content`. DeepSeek and Kimi refuse a message with calls that has none, and Kimi refuses an empty
 * one: then it is a space. https://api-docs.deepseek.com/guides/thinking_mode and
 * https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model, read 2026-11.
 */
export function writeReasoning(reasoning: readonly Reasoning[], hasCalls: boolean): JsonRecord {
  const written: Record<string, unknown> = {}
  for (const item of reasoning) {
    const own = ownPart(item, 'OPENAI_CHAT') ?? {}
    const field = fieldOf(own) ?? 'reasoning_content'
    const [before, value] = [written[field], own[field] ?? item.text]
    if (Array.isArray(value)) written[field] = [...(Array.isArray(before) ? before : []), ...value]
    else written[field] = `${before ?? ''}${value}`
  }
  return hasCalls && Object.keys(written).length === 0 ? { reasoning_content: ' ' } : written
}

/** The field that a part holds; null for other parts. */
function fieldOf(part: JsonRecord): (typeof fields)[number] | null {
  const field = fields.find((one) => one === part.type)
  if (field === undefined) return null
  const isOfField = field === 'reasoning_details' ? Array.isArray(part[field]) : typeof part[field] === 'string'
  return isOfField ? field : null
}

/** Of `reasoning_details` the texts and summaries; what is encrypted has none. */
function textOf(value: unknown): string {
  if (!Array.isArray(value)) return asText(value) ?? ''
  return value.map((detail) => (isRecord(detail) ? (asText(detail.text ?? detail.summary) ?? '') : '')).join('')
}
