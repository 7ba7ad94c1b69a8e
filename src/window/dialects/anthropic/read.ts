import type { JsonRecord } from '../../../entities/json.ts'
import { fileByData, fileByText, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import type { Hosted, Item, Output, Raw } from '../../items/item.ts'
import { asText, isRecord, textOfJson } from '../../items/json.ts'

/** @param parts content blocks of the Messages API */
export function readAnthropic(parts: readonly unknown[]): Item[] {
  return parts.map((part) => {
    const raw: Raw = { format: 'ANTHROPIC', part }
    if (!isRecord(part)) return { kind: 'other', raw }
    return readOutputBlock(part, raw) ?? readBlock(part, raw) ?? { kind: 'other', raw }
  })
}

export function readBlock(part: JsonRecord, raw: Raw): Item | null {
  switch (part.type) {
    case 'thinking':
      return { kind: 'reasoning', text: asText(part.thinking) ?? '', raw }
    case 'redacted_thinking':
      return { kind: 'reasoning', text: '', raw }
    case 'tool_use': {
      const [callId, name] = [asText(part.id), asText(part.name) ?? '']
      if (callId === null) return null
      const text = part.input === undefined ? '' : textOfJson(part.input)
      return { kind: 'call', callId, name, type: 'function', arguments: text, raw, extra: null, ...readCaller(part) }
    }
    case 'tool_result': {
      const callId = asText(part.tool_use_id)
      if (callId === null) return null
      const output = readOutput(part.content)
      return { kind: 'result', callId, name: null, isError: part.is_error === true, output, raw }
    }
    default:
      return readHosted(part, raw)
  }
}

/**
 * Read by shape, so that kinds that are new are read as well: `server_tool_use` and `mcp_tool_use`;
 * `web_search_tool_result`, `mcp_tool_result` and others.
 */
function readHosted(part: JsonRecord, raw: Raw): Hosted | null {
  const type = asText(part.type) ?? ''
  const half = type.endsWith('_tool_use') ? 'call' : type.endsWith('_tool_result') ? 'result' : null
  const callId = asText(half === 'call' ? part.id : part.tool_use_id)
  if (half === null || callId === null) return null
  const text = half === 'call' ? textOfJson(part.input) : ''
  return { kind: 'hosted', half, callId, name: asText(part.name) ?? '', arguments: text, raw, ...readCaller(part) }
}

/** The code that made this call, in a call that the model's code made and not the model itself. */
function readCaller({ caller }: JsonRecord): { callerId?: string } {
  const callerId = isRecord(caller) ? asText(caller.tool_id) : null
  return callerId === null ? {} : { callerId }
}

function readOutput(content: unknown): Output[] {
  if (content === undefined || content === null) return []
  if (!Array.isArray(content)) return [{ kind: 'text', text: textOfJson(content), raw: null }]
  return content.map((part) => {
    const raw: Raw = { format: 'ANTHROPIC', part }
    return (isRecord(part) ? readOutputBlock(part, raw) : null) ?? { kind: 'other', raw }
  })
}

export function readOutputBlock(part: JsonRecord, raw: Raw): Output | null {
  if (part.type === 'text') return typeof part.text === 'string' ? { kind: 'text', text: part.text, raw } : null
  if ((part.type !== 'image' && part.type !== 'document') || !isRecord(part.source)) return null
  const { type, url, data, media_type: mediaType, file_id: id, content } = part.source
  const otherwise = part.type === 'image' ? 'image/*' : 'application/pdf'
  if (type === 'url' && typeof url === 'string') return fileByUrl(url, otherwise, part.title, raw)
  if (type === 'base64' && typeof data === 'string') {
    return fileByData(data, asText(mediaType) ?? otherwise, part.title, raw)
  }
  if (type === 'text' && typeof data === 'string') {
    return fileByText(data, 'text/plain', part.title, raw)
  }
  return fileElsewhere(type === 'content' ? content : type === 'file' ? asText(id) : null, otherwise, part.title, raw)
}
