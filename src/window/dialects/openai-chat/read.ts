import type { JsonRecord } from '../../../entities/json.ts'
import { fileByData, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import type { Call, File, Item, Raw } from '../../items/item.ts'
import { asText, isRecord } from '../../items/json.ts'
import { readReasoning, reasoningFirst } from './reasoning.ts'

/** @param parts content parts of chat completions, entries of `tool_calls`, or reasoning that stood beside the content */
export function readOpenAiChat(parts: readonly unknown[]): Item[] {
  return reasoningFirst(parts.map(readPart))
}

function readPart(part: unknown): Item {
  const raw: Raw = { format: 'OPENAI_CHAT', part }
  if (!isRecord(part)) return { kind: 'other', raw }
  if (part.type === 'text' && typeof part.text === 'string') return { kind: 'text', text: part.text, raw }
  if (part.type === 'refusal' && typeof part.refusal === 'string') return { kind: 'refusal', text: part.refusal, raw }
  return (
    readReasoning(part, raw) ??
    readImage(part, raw) ??
    readAudio(part, raw) ??
    readFile(part, raw) ??
    readCall(part, raw) ?? { kind: 'other', raw }
  )
}

/** Reads a picture of chat completions or of LangChain. In LangChain `image_url` may be the URL itself. */
export function readImage({ type, image_url: image }: JsonRecord, raw: Raw): File | null {
  if (type !== 'image_url') return null
  const url = isRecord(image) ? image.url : image
  return typeof url === 'string' ? fileByUrl(url, 'image/*', null, raw) : null
}

function readAudio({ type, input_audio: audio }: JsonRecord, raw: Raw): File | null {
  if (type !== 'input_audio' || !isRecord(audio) || typeof audio.data !== 'string') return null
  return fileByData(audio.data, `audio/${asText(audio.format) ?? '*'}`, null, raw)
}

function readFile({ type, file }: JsonRecord, raw: Raw): File | null {
  if (type !== 'file' || !isRecord(file)) return null
  const data = asText(file.file_data)
  return data === null
    ? fileElsewhere(asText(file.file_id), '', file.filename, raw)
    : fileByData(data, '', file.filename, raw)
}

function readCall(part: JsonRecord, raw: Raw): Call | null {
  const type = part.type === 'custom' ? 'custom' : 'function'
  const called = part[type]
  if (part.type !== type || !isRecord(called) || typeof part.id !== 'string') return null
  const text = asText(type === 'custom' ? called.input : called.arguments) ?? ''
  return { kind: 'call', callId: part.id, name: asText(called.name) ?? '', type, arguments: text, raw, extra: null }
}
