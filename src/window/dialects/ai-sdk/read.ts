import type { JsonRecord } from '../../../entities/json.ts'
import { fileByData, fileByText, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import type { Call, File, Item, Output, Raw, Result } from '../../items/item.ts'
import { asText, isRecord, textOfJson } from '../../items/json.ts'

/**
 * Reads parts of a UIMessage or of a ModelMessage. A tool part of a UIMessage is both a call and its result. Such
 * results are put behind all other items, because an assistant says a whole step before any call of it is answered;
 * `pair` then gives each result to the call of its part.
 */
export function readAiSdk(parts: readonly unknown[]): Item[] {
  const read = parts.map(readPart)
  const items = read.map(([item]) => item)
  return [...items, ...read.flatMap(([, result]) => result ?? [])]
}

function readPart(part: unknown): [Item, Result?] {
  const raw: Raw = { format: 'AI_SDK', part }
  if (!isRecord(part)) return [{ kind: 'other', raw }]
  switch (part.type) {
    case 'step-start':
      return [{ kind: 'step' }]
    case 'text':
      return [typeof part.text === 'string' ? { kind: 'text', text: part.text, raw } : { kind: 'other', raw }]
    case 'reasoning':
      return [{ kind: 'reasoning', text: asText(part.text) ?? '', raw }]
    case 'file':
    case 'image':
      return [readFile(part, raw) ?? { kind: 'other', raw }]
    case 'tool-call':
      return [readCall(part, part.toolName, raw) ?? { kind: 'other', raw }]
    case 'tool-result':
      return [readResult(part, raw) ?? { kind: 'other', raw }]
    default:
      return readToolPart(part, raw) ?? [{ kind: 'other', raw }]
  }
}

/**
 * null for a call that the provider itself ran: the SDK and the provider deal with such a part, so it is kept unread.
 */
function readCall(part: JsonRecord, name: unknown, raw: Raw): Call | null {
  const callId = asText(part.toolCallId)
  if (callId === null || part.providerExecuted === true) return null
  const text = part.input === undefined ? '' : textOfJson(part.input)
  return { kind: 'call', callId, name: asText(name) ?? '', type: 'function', arguments: text, raw, extra: null }
}

/** Reads a part `tool-NAME` or `dynamic-tool` of a UIMessage. */
function readToolPart(part: JsonRecord, raw: Raw): [Item, Result?] | null {
  const { type } = part
  if (typeof type !== 'string' || typeof part.state !== 'string') return null
  if (type !== 'dynamic-tool' && !type.startsWith('tool-')) return null
  const call = readCall(part, type === 'dynamic-tool' ? part.toolName : type.slice('tool-'.length), raw)
  if (call === null) return null
  const result = (isError: boolean, value: unknown): [Item, Result] => {
    const output: Output[] = [{ kind: 'text', text: textOfJson(value), raw: null }]
    return [call, { kind: 'result', callId: call.callId, name: call.name, isError, output, raw }]
  }
  switch (part.state) {
    case 'output-available':
      return result(false, part.output)
    case 'output-error':
      return result(true, part.errorText)
    case 'output-denied':
      return result(true, (isRecord(part.approval) ? part.approval.reason : null) ?? 'Tool call execution denied.')
    default:
      return [call]
  }
}

function readResult(part: JsonRecord, raw: Raw): Result | null {
  const callId = asText(part.toolCallId)
  if (callId === null || !isRecord(part.output)) return null
  const { type, value, reason } = part.output
  const isError = type === 'error-text' || type === 'error-json' || type === 'execution-denied'
  const output: Output[] =
    type === 'content' && Array.isArray(value)
      ? value.map(readOutput)
      : [{ kind: 'text', text: textOfJson(type === 'execution-denied' ? (reason ?? 'Denied.') : value), raw: null }]
  return { kind: 'result', callId, name: asText(part.toolName), isError, output, raw }
}

function readOutput(part: unknown): Output {
  const raw: Raw = { format: 'AI_SDK', part }
  if (!isRecord(part)) return { kind: 'other', raw }
  if (part.type === 'text' && typeof part.text === 'string') return { kind: 'text', text: part.text, raw }
  return readFile(part, raw) ?? { kind: 'other', raw }
}

/**
 * A file of a UIMessage has a `url`. A file of a ModelMessage has `data` or `image`: bytes, a URL, or an object whose
 * `type` says what it holds. Only `data` and `image` may be base64 without a scheme.
 */
function readFile(part: JsonRecord, raw: Raw): File | null {
  const isPicture = typeof part.type === 'string' && part.type.startsWith('image')
  const mediaType = asText(part.mediaType) ?? (isPicture ? 'image/*' : '')
  const { filename } = part
  if (typeof part.type !== 'string' || !/^(file|image)/.test(part.type)) return null
  const given = part.providerReference ?? part.url ?? part.data ?? part.image
  const { type, url, data, text } = isRecord(given) ? given : typed(given, given === part.url)
  if (type === 'url' && typeof url === 'string') return fileByUrl(url, mediaType, filename, raw)
  if (type === 'data' && typeof data === 'string') return fileByData(data, mediaType, filename, raw)
  if (type === 'text' && typeof text === 'string') return fileByText(text, mediaType, filename, raw)
  return fileElsewhere(mediaType, filename, raw)
}

function typed(given: unknown, isUrl: boolean): JsonRecord {
  return isUrl || (typeof given === 'string' && /^\s*https?:/i.test(given))
    ? { type: 'url', url: given }
    : { type: 'data', data: given }
}
