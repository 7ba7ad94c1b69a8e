import type { JsonRecord } from '../../../entities/json.ts'
import { fileByData, fileByText, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import { type Call, type Item, isOutput, type Output, type Raw } from '../../items/item.ts'
import { asText, isRecord, textOfJson } from '../../items/json.ts'
import { readBlock as readAnthropicBlock, readOutputBlock } from '../anthropic/read.ts'
import { readOpenAiChat } from '../openai-chat/read.ts'
import { asMessage, callsOf, contentOf, hasArguments, joinChunks, type WholeMessage } from './message.ts'

/** @param parts content blocks of LangChain, old or new ones, or whole messages in any form */
export function readLangChain(parts: readonly unknown[]): Item[] {
  return joinChunks(parts).flatMap(readPart)
}

function readPart(part: unknown): Item[] {
  const raw: Raw = { format: 'LANGCHAIN', part }
  if (typeof part === 'string') return [{ kind: 'text', text: part, raw }]
  if (!isRecord(part)) return [{ kind: 'other', raw }]
  const message = asMessage(part)
  if (message !== null) return readMessage(message, raw)
  return isKept(part) ? [] : [readOutput(part, raw) ?? readBlock(part, raw) ?? { kind: 'other', raw }]
}

/** What the client library keeps of a message beside its fields. It says nothing. */
function isKept({ type, value }: JsonRecord): boolean {
  return type === 'non_standard' && isRecord(value) && 'langchain' in value
}

function readMessage({ kind, data }: WholeMessage, raw: Raw): Item[] {
  if (kind === 'remove') return []
  const content = readLangChain(contentOf(data))
  const callId = asText(data.tool_call_id) ?? asText(data.toolCallId)
  if (kind === 'tool' && callId !== null) {
    const output = content.filter(isOutput)
    return [{ kind: 'result', callId, name: asText(data.name), isError: data.status === 'error', output, raw }]
  }
  return kind === 'ai' || kind === 'generic' ? withCalls(content, data, raw) : content
}

/** A call in the content takes its arguments from the message's calls, unless these have none. Other calls come last. */
function withCalls(content: readonly Item[], data: JsonRecord, raw: Raw): Item[] {
  const calls = callsOf(data)
  const byId = new Map(calls.map((call) => [call.callId, call]))
  const known = new Set(content.flatMap((item) => (item.kind === 'call' ? [item.callId] : [])))
  return [
    ...content.map((item): Item => {
      const call = item.kind === 'call' ? byId.get(item.callId) : undefined
      return item.kind === 'call' && call !== undefined && hasArguments(call)
        ? { ...item, arguments: call.arguments }
        : item
    }),
    ...calls.flatMap(({ callId, name, arguments: text }): Item[] => {
      if (callId === null) return [{ kind: 'other', raw }]
      return known.has(callId) ? [] : [makeCall(callId, name, text, raw)]
    }),
  ]
}

function makeCall(callId: string, name: string, text: string, raw: Raw): Call {
  return { kind: 'call', callId, name, type: 'function', arguments: text, raw, extra: null }
}

function readBlock(part: JsonRecord, raw: Raw): Item | null {
  switch (part.type) {
    case 'reasoning':
      return { kind: 'reasoning', text: asText(part.reasoning) ?? '', raw }
    case 'tool_call':
    case 'tool_call_chunk':
    case 'invalid_tool_call':
    case 'tool_use':
    case 'function_call': {
      const callId = asText(part.call_id) ?? asText(part.id)
      // LangChain for Python keeps what a stream had sent of a `tool_use` as `partial_json`.
      const input = part.args ?? part.arguments ?? part.partial_json ?? part.input
      if (callId === null) return null
      return makeCall(callId, asText(part.name) ?? '', input === undefined ? '' : textOfJson(input), raw)
    }
    default:
      return readAnthropicBlock(part, raw)
  }
}

/**
 * Old blocks have `mime_type`, new blocks have `mimeType`. In both, `url`, `data` or `text` holds the file. Blocks of
 * the providers may stand among them.
 */
function readOutput(part: JsonRecord, raw: Raw): Output | null {
  const otherwise = defaultTypes.get(part.type)
  if (otherwise === undefined || isRecord(part.file)) return readProviderBlock(part, raw)
  if (isRecord(part.source)) return readOutputBlock(part, raw)
  const mediaType = asText(part.mimeType) ?? asText(part.mime_type) ?? otherwise
  const filename = isRecord(part.metadata) ? (part.metadata.filename ?? part.metadata.name) : null
  const data = asText(part.data) ?? asText(part.base64)
  if (typeof part.url === 'string') return fileByUrl(part.url, mediaType, filename, raw)
  if (data !== null) return fileByData(data, mediaType, filename, raw)
  if (typeof part.text === 'string') return fileByText(part.text, 'text/plain', filename ?? part.title, raw)
  return fileElsewhere(null, mediaType, filename, raw)
}

const defaultTypes = new Map<unknown, string>([
  ['image', 'image/*'],
  ['audio', 'audio/*'],
  ['video', 'video/*'],
  ['file', ''],
  ['media', ''],
  ['text-plain', 'text/plain'],
])

function readProviderBlock(part: JsonRecord, raw: Raw): Output | null {
  if (part.type === 'document') return readOutputBlock(part, raw)
  const [item] = readOpenAiChat([part])
  return item !== undefined && isOutput(item) && item.kind !== 'other' ? { ...item, raw } : null
}
