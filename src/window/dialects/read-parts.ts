import type { PartsFormat } from '../../entities/message-enums.ts'
import type { Item } from '../items/item.ts'
import { readAiSdk } from './ai-sdk/read.ts'
import { readAnthropic } from './anthropic/read.ts'
import { readLangChain } from './langchain/read.ts'
import { readOpenAiChat } from './openai-chat/read.ts'
import { readOpenAiResponses } from './openai-responses/read.ts'

/** What the parts of a message say, in any dialect: the one place that knows which parts are what. */
export function readParts(parts: readonly unknown[], format: PartsFormat | null): Item[] {
  switch (format) {
    case 'OPENAI_CHAT':
      return parts.flatMap(readOpenAiChat)
    case 'OPENAI_RESPONSES':
      return parts.flatMap(readOpenAiResponses)
    case 'ANTHROPIC':
      return parts.flatMap(readAnthropic)
    case 'AI_SDK':
      return readAiSdk(parts)
    case 'LANGCHAIN':
      return parts.flatMap(readLangChain)
    case 'OTHER':
    case null:
      return parts.map((part) => ({ kind: 'other', raw: { format: 'OTHER', part } }))
  }
}

/** The text parts of a message joined with nothing; null when it has none, or its dialect is not known. */
export function textOfParts(parts: readonly unknown[] | null, format: PartsFormat | null): string | null {
  const texts = readParts(parts ?? [], format).flatMap((item) => (item.kind === 'text' ? [item.text] : []))
  return texts.length === 0 ? null : texts.join('')
}
