import type { JsonRecord } from '../../../entities/json.ts'
import { fileByBytes, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import { type Item, isOutput, type Output, type Raw, type Result } from '../../items/item.ts'
import { asText, isRecord, textOfJson } from '../../items/json.ts'
import { readImage } from '../openai-chat/read.ts'

/** @param parts content blocks of LangChain, old or new ones, or whole messages as LangChain stores them */
export function readLangChain(parts: readonly unknown[]): Item[] {
  return parts.flatMap(readPart)
}

function readPart(part: unknown): Item[] {
  const raw: Raw = { format: 'LANGCHAIN', part }
  if (!isRecord(part)) return [{ kind: 'other', raw }]
  return readMessage(part) ?? [readOutput(part, raw) ?? readBlock(part, raw) ?? { kind: 'other', raw }]
}

/** Reads `{ type: 'ai', data: { content, tool_calls } }`, which `mapChatMessagesToStoredMessages` writes. */
function readMessage({ type, data }: JsonRecord): Item[] | null {
  if (!isRecord(data) || (type !== 'ai' && type !== 'human' && type !== 'tool')) return null
  const raw: Raw = { format: 'LANGCHAIN', part: { type, data } }
  const content: Item[] =
    typeof data.content === 'string'
      ? [{ kind: 'text', text: data.content, raw }]
      : Array.isArray(data.content)
        ? readLangChain(data.content)
        : []
  if (type === 'tool' && typeof data.tool_call_id === 'string')
    return [readResult(data, data.tool_call_id, content, raw)]
  const known = new Set(content.flatMap((item) => (item.kind === 'call' ? [item.callId] : [])))
  const calls = Array.isArray(data.tool_calls) ? data.tool_calls.filter(isRecord) : []
  const others = calls.flatMap((call) => readBlock({ ...call, type: 'tool_call' }, raw) ?? [])
  return [...content, ...others.filter((item) => item.kind !== 'call' || !known.has(item.callId))]
}

function readResult(data: JsonRecord, callId: string, content: readonly Item[], raw: Raw): Result {
  const output = content.filter(isOutput)
  return { kind: 'result', callId, name: asText(data.name), isError: data.status === 'error', output, raw }
}

function readBlock(part: JsonRecord, raw: Raw): Item | null {
  switch (part.type) {
    case 'reasoning':
      return { kind: 'reasoning', text: asText(part.reasoning) ?? '', raw }
    case 'thinking':
      return { kind: 'reasoning', text: asText(part.thinking) ?? '', raw }
    case 'tool_call':
    case 'tool_use':
    case 'invalid_tool_call': {
      const callId = asText(part.id)
      const input = part.type === 'tool_use' ? part.input : part.args
      if (callId === null) return null
      const text = input === undefined ? '' : textOfJson(input)
      return {
        kind: 'call',
        callId,
        name: asText(part.name) ?? '',
        type: 'function',
        arguments: text,
        raw,
        extra: null,
      }
    }
    default:
      return null
  }
}

/** Old blocks have `mime_type`, new blocks have `mimeType`. In both, `url`, `data` or `text` holds the file. */
function readOutput(part: JsonRecord, raw: Raw): Output | null {
  if (part.type === 'text') return typeof part.text === 'string' ? { kind: 'text', text: part.text, raw } : null
  if (part.type === 'refusal') {
    return typeof part.refusal === 'string' ? { kind: 'refusal', text: part.refusal, raw } : null
  }
  const image = readImage(part, raw)
  if (image !== null) return image
  const otherwise = defaultTypes.get(part.type)
  if (otherwise === undefined) return null
  const mediaType = asText(part.mimeType) ?? asText(part.mime_type) ?? otherwise
  const filename = isRecord(part.metadata) ? (part.metadata.filename ?? part.metadata.name) : null
  if (typeof part.url === 'string') return fileByUrl(part.url, mediaType, filename, raw)
  if (typeof part.data === 'string') return fileByBytes(part.data, mediaType, filename, raw)
  if (typeof part.text === 'string') {
    return fileByBytes(Buffer.from(part.text).toString('base64'), 'text/plain', filename ?? part.title, raw)
  }
  return fileElsewhere(mediaType, filename, raw)
}

const defaultTypes = new Map<unknown, string>([
  ['image', 'image/*'],
  ['audio', 'audio/*'],
  ['video', 'video/*'],
  ['file', 'application/octet-stream'],
  ['text-plain', 'text/plain'],
])
