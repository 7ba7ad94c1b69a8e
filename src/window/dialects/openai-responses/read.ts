import type { JsonRecord } from '../../../entities/json.ts'
import { fileByData, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import type { Item, Output, Raw } from '../../items/item.ts'
import { asText, isRecord, textOfJson } from '../../items/json.ts'

/** @param parts items of the Responses API, or content parts of them */
export function readOpenAiResponses(parts: readonly unknown[]): Item[] {
  return parts.flatMap(readPart)
}

function readPart(part: unknown): Item[] {
  const raw: Raw = { format: 'OPENAI_RESPONSES', part }
  if (!isRecord(part)) return [{ kind: 'other', raw }]
  if (part.type === 'message' || (part.type === undefined && part.role !== undefined)) return readMessage(part)
  return [readContent(part, raw) ?? readItem(part, raw) ?? { kind: 'other', raw }]
}

function readMessage(within: JsonRecord): Item[] {
  const { content } = within
  const own = (part: unknown): Raw => ({ format: 'OPENAI_RESPONSES', part, within })
  if (typeof content === 'string')
    return [{ kind: 'text', text: content, raw: own({ type: 'input_text', text: content }) }]
  if (!Array.isArray(content)) return [{ kind: 'other', raw: { format: 'OPENAI_RESPONSES', part: within } }]
  return content.map(
    (part) => (isRecord(part) ? readContent(part, own(part)) : null) ?? { kind: 'other', raw: own(part) },
  )
}

function readContent(part: JsonRecord, raw: Raw): Output | null {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return typeof part.text === 'string' ? { kind: 'text', text: part.text, raw } : null
    case 'refusal':
      return typeof part.refusal === 'string' ? { kind: 'refusal', text: part.refusal, raw } : null
    case 'input_image':
      return typeof part.image_url === 'string'
        ? fileByUrl(part.image_url, 'image/*', null, raw)
        : fileElsewhere('image/*', null, raw)
    case 'input_file':
      return readFile(part, raw)
    default:
      return null
  }
}

function readFile({ file_data: data, file_url: url, filename }: JsonRecord, raw: Raw): Output {
  if (typeof url === 'string') return fileByUrl(url, '', filename, raw)
  return typeof data === 'string' ? fileByData(data, '', filename, raw) : fileElsewhere('', filename, raw)
}

function readItem(part: JsonRecord, raw: Raw): Item | null {
  const callId = asText(part.call_id)
  switch (part.type) {
    case 'reasoning':
      return { kind: 'reasoning', text: textsIn(part.summary) + textsIn(part.content), raw }
    case 'function_call':
    case 'custom_tool_call': {
      if (callId === null) return null
      const type = part.type === 'function_call' ? 'function' : 'custom'
      const text = asText(type === 'function' ? part.arguments : part.input) ?? ''
      return { kind: 'call', callId, name: asText(part.name) ?? '', type, arguments: text, raw, extra: null }
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      if (callId === null) return null
      return { kind: 'result', callId, name: asText(part.name), isError: false, output: readOutput(part.output), raw }
    }
    default:
      return null
  }
}

function readOutput(output: unknown): Output[] {
  if (!Array.isArray(output)) return [{ kind: 'text', text: textOfJson(output), raw: null }]
  return output.map((part) => {
    const raw: Raw = { format: 'OPENAI_RESPONSES', part }
    return (isRecord(part) ? readContent(part, raw) : null) ?? { kind: 'other', raw }
  })
}

function textsIn(parts: unknown): string {
  return Array.isArray(parts) ? parts.map((part) => (isRecord(part) ? (asText(part.text) ?? '') : '')).join('') : ''
}
