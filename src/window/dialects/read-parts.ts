import type { PartsFormat } from '../../entities/message/message-enums.ts'
import type { Item } from '../items/item.ts'
import { readAiSdk } from './ai-sdk/read.ts'
import { readAnthropic } from './anthropic/read.ts'
import { readLangChain } from './langchain/read.ts'
import { readOpenAiChat } from './openai-chat/read.ts'
import { readOpenAiResponses } from './openai-responses/read.ts'

const readers: Readonly<Record<PartsFormat, (parts: readonly unknown[]) => Item[]>> = {
  OPENAI_CHAT: readOpenAiChat,
  OPENAI_RESPONSES: readOpenAiResponses,
  ANTHROPIC: readAnthropic,
  AI_SDK: readAiSdk,
  LANGCHAIN: readLangChain,
  OTHER: (parts) => parts.map((part) => ({ kind: 'other', raw: { format: 'OTHER', part } })),
}

/** Reads what the parts of a message say, in any dialect. */
export function readParts(parts: readonly unknown[], format: PartsFormat | null): Item[] {
  return readers[format ?? 'OTHER'](parts)
}

/** Joins the text parts of a message with nothing between them; null when it has none, or its dialect is unknown. */
export function textOfParts(parts: readonly unknown[] | null, format: PartsFormat | null): string | null {
  const texts = readParts(parts ?? [], format).flatMap((item) => (item.kind === 'text' ? [item.text] : []))
  return texts.length === 0 ? null : texts.join('')
}
