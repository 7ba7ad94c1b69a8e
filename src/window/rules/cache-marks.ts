import type { JsonRecord } from '../../entities/json.ts'
import type { ContextFormat } from '../../entities/window-enums.ts'
import type { Written } from '../dialects/dialect.ts'
import { changed, isRecord } from '../items/json.ts'
import { sdkMetadata, withoutOptions } from '../items/sdk-metadata.ts'

/**
 * Anthropic and OpenAI take at most so many marks in a request; those of the caller's tools count too.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching and `prompt_cache_options` in OpenAI's API
 * reference, read 2026-11.
 */
export const mostCacheMarks = 4

export interface MarkedWindow extends Written {
  /** Whether stored marks were left out. */
  readonly hadMarks: boolean
}

/**
 * Leaves out the marks that were stored, because each mark belongs to the request in which somebody set it. Sets `count`
 * new ones where the next request of the conversation finds the same beginning again: first at the end of the
 * instructions, then at the end of the window, then where the requests before it ended. A mark where an earlier request
 * ended is found however much is new after it; from any other mark Anthropic looks back over 20 blocks only.
 */
export function withCacheMarks({ system, messages }: Written, format: ContextFormat, count: number): MarkedWindow {
  const unmark = format === 'AI_SDK' || format === 'AI_SDK_MODEL' ? withoutSdkMarks : withoutBlockMarks
  const bare = { system: unmark(system) as Written['system'], messages: unmark(messages) as Written['messages'] }
  const hadMarks = bare.system !== system || bare.messages !== messages
  const marker = markers[format]
  return marker === null || count === 0 ? { ...bare, hadMarks } : { ...setMarks(bare, marker, count), hadMarks }
}

/** Each gives the same with a mark at its end; null if no mark can stand there. */
interface Marker {
  readonly system: (instruction: JsonRecord) => JsonRecord | null
  readonly message: (message: JsonRecord) => JsonRecord | null
}

function setMarks(written: Written, marker: Marker, count: number): Written {
  const [system, messages] = [written.system?.slice() ?? null, written.messages.slice()]
  let left = count
  const mark = (list: unknown[], at: number, how: Marker['system']) => {
    const marked = left > 0 && isRecord(list[at]) ? how(list[at]) : null
    if (marked === null) return
    list[at] = marked
    left--
  }
  const roles = messages.map((message) => (isRecord(message) ? message.role : null))
  const begin = roles.findIndex((role) => role !== 'system' && role !== 'developer')
  const leading = begin === -1 ? messages.length : begin
  if (system !== null) mark(system, system.length - 1, marker.system)
  else mark(messages, leading - 1, marker.message)
  for (let at = messages.length - 1; at >= leading; at--) {
    if (at === messages.length - 1 || roles[at + 1] === 'assistant') mark(messages, at, marker.message)
  }
  return { system, messages }
}

const ephemeral = { type: 'ephemeral' }

const markers: Readonly<Record<ContextFormat, Marker | null>> = {
  ANTHROPIC: {
    system: markBlock,
    message: (message) => markLast(message, 'content', anthropicBlocks, markBlock),
  },
  // OpenRouter and LiteLLM take marks in text parts: https://openrouter.ai/docs/features/prompt-caching, read 2026-11.
  OPENAI_CHAT: {
    system: markBlock,
    message: (message) => {
      const { content } = message
      const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content
      return markLast({ ...message, content: parts }, 'content', texts, markBlock)
    },
  },
  // OpenAI caches the beginning of every request by itself.
  OPENAI_RESPONSES: null,
  // A tool part becomes a call and a result, each with the metadata of the part: a mark of it would be two.
  AI_SDK: {
    system: (message) => markSdk(message, 'providerOptions'),
    message: (message) => markLast(message, 'parts', uiParts, (part) => markSdk(part, 'providerMetadata')),
  },
  AI_SDK_MODEL: {
    system: (message) => markSdk(message, 'providerOptions'),
    message: (message) => markLast(message, 'content', modelParts, (part) => markSdk(part, 'providerOptions')),
  },
}

/** Thoughts take no marks, and of newer kinds of blocks that is not known. */
const anthropicBlocks = new Set<unknown>(['text', 'image', 'document', 'search_result', 'tool_use', 'tool_result'])
const texts = new Set<unknown>(['text'])
const uiParts = new Set<unknown>(['text', 'file'])
const modelParts = new Set<unknown>(['text', 'file', 'tool-call', 'tool-result'])

/** Marks the last part that is of one of these types and not an empty text, which the API refuses with a mark. */
function markLast(
  message: JsonRecord,
  field: 'content' | 'parts',
  types: ReadonlySet<unknown>,
  mark: (part: JsonRecord) => JsonRecord,
): JsonRecord | null {
  const list: readonly unknown[] = Array.isArray(message[field]) ? message[field] : []
  const at = list.findLastIndex(
    (part) => isRecord(part) && types.has(part.type) && (part.type !== 'text' || String(part.text).trim() !== ''),
  )
  return at === -1 ? null : { ...message, [field]: list.with(at, mark(list[at] as JsonRecord)) }
}

function markBlock(block: JsonRecord): JsonRecord {
  return { ...block, cache_control: ephemeral }
}

function markSdk(part: JsonRecord, field: 'providerOptions' | 'providerMetadata'): JsonRecord {
  const metadata = isRecord(part[field]) ? part[field] : {}
  const anthropic = isRecord(metadata.anthropic) ? metadata.anthropic : {}
  return { ...part, [field]: { ...metadata, anthropic: { ...anthropic, cacheControl: ephemeral } } }
}

/** Anthropic's mark, which others take as well, and OpenAI's. */
const blockMarks = new Set(['cache_control', 'prompt_cache_breakpoint'])
/** What a tool is given, and how it is described, is the caller's own: nothing in it is a mark. */
const blockData = new Set(['input', 'arguments', 'action', 'parameters', 'input_schema'])

function withoutBlockMarks(value: unknown): unknown {
  return changed(value, (record, key) => {
    if (blockMarks.has(key) && record[key] !== null) return undefined
    return blockData.has(key) ? record[key] : withoutBlockMarks(record[key])
  })
}

/** Each provider's package for the AI SDK has a name of its own: Anthropic, Bedrock, OpenRouter, Alibaba, OpenAI. */
const sdkMarks = /^(cache_?control|cache_?point|prompt_?cache_?breakpoint)$/i
const sdkData = new Set(['input', 'rawInput', 'data', 'metadata', 'toolMetadata'])

function withoutSdkMarks(value: unknown): unknown {
  return changed(value, (record, key) => {
    if (sdkMetadata.has(key)) return withoutOptions(record[key], sdkMarks)
    // The output of a part of a UIMessage, and the value of any other output than `content`, is what a tool answered.
    const isAnswer = (key === 'output' && 'state' in record) || (key === 'value' && record.type !== 'content')
    return isAnswer || sdkData.has(key) ? record[key] : withoutSdkMarks(record[key])
  })
}
