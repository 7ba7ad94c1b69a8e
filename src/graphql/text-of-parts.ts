import type { PartsFormat } from '../entities/message-enums.ts'

/** The text parts of a message joined with nothing; null when it has none, or its dialect is not known. */
export function textOfParts(parts: readonly unknown[] | null, format: PartsFormat | null): string | null {
  if (parts === null || format === null || format === 'OTHER') return null
  const types = textTypes[format]
  const texts = parts.flatMap((part) => textsOf(part, types))
  return texts.length === 0 ? null : texts.join('')
}

const textTypes: Record<Exclude<PartsFormat, 'OTHER'>, readonly string[]> = {
  OPENAI_CHAT: ['text'],
  OPENAI_RESPONSES: ['input_text', 'output_text', 'text'],
  ANTHROPIC: ['text'],
  AI_SDK: ['text'],
  LANGCHAIN: ['text'],
}

/** A part is text itself, or an item `message` of the Responses API whose `content` holds the parts. */
function textsOf(part: unknown, types: readonly string[]): string[] {
  if (typeof part !== 'object' || part === null) return []
  const { type, text, content } = part as { type?: unknown; text?: unknown; content?: unknown }
  if (type === 'message' && Array.isArray(content)) return content.flatMap((inner) => textsOf(inner, types))
  return typeof type === 'string' && types.includes(type) && typeof text === 'string' ? [text] : []
}
