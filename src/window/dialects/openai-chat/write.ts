import type { JsonRecord } from '../../../entities/json.ts'
import type { MessageRole } from '../../../entities/message/message-enums.ts'
import type { ReasoningContent } from '../../../entities/window-enums.ts'
import { argumentsText } from '../../items/arguments.ts'
import { fileByUrl, isPdf, textOfFile, urlOf } from '../../items/file-source.ts'
import { type Call, type File, type Other, type Output, ownPart, type Said } from '../../items/item.ts'
import { isRecord } from '../../items/json.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
import { isOpenAiPicture, mostOpenAiPictures } from '../openai-files.ts'
import { writeReasoning } from './reasoning.ts'

/** The dialect for each wish of what is to be given back of a model's reasoning. */
export const openAiChat: Readonly<Record<ReasoningContent, Dialect>> = {
  NONE: chatWith('NONE'),
  TOOL_CALLS: chatWith('TOOL_CALLS'),
  ALL: chatWith('ALL'),
}

function chatWith(reasoning: ReasoningContent): Dialect {
  return {
    parts: 'OPENAI_CHAT',
    takes: (item, role) => {
      if (item.kind === 'file') return role === 'USER' && writeFile(item) !== null
      return item.kind !== 'other' || isUnknownPart(item)
    },
    takesReasoning: (item, beside) =>
      reasoning !== 'NONE' &&
      (reasoning === 'ALL' || beside.some(({ kind }) => kind === 'call')) &&
      (item.raw.format === 'OPENAI_CHAT' || item.text.trim() !== ''),
    takesOutput: ({ kind }) => kind === 'text' || kind === 'refusal',
    callIds: { maxLength: 40, unfit: null, mayRepeat: true },
    maxImages: mostOpenAiPictures,
    hasAuthorField: true,
    write: (steps) => ({ system: null, messages: steps.flatMap((step) => writeStep(step, reasoning !== 'NONE')) }),
  }
}

function writeStep({ message, items, answers }: Step, hasReasoning: boolean): object[] {
  const name = isName(message.name) ? { name: message.name } : {}
  const reasoning = items.filter((item) => item.kind === 'reasoning')
  const said = items.filter(({ kind }) => kind !== 'call' && kind !== 'reasoning')
  const calls = items.filter((item) => item.kind === 'call')
  const content = said.length === 0 ? null : writeContent(said, message.role)
  if (message.role !== 'ASSISTANT') return [{ role: message.role.toLowerCase(), content, ...name }]
  const toolCalls = calls.length === 0 ? {} : { tool_calls: calls.map(writeCall) }
  const beside = hasReasoning ? writeReasoning(reasoning, calls.length > 0) : {}
  return [{ role: 'assistant', content, ...name, ...beside, ...toolCalls }, ...answers.map(writeAnswer)]
}

/** The API accepts exactly such names. */
function isName(name: string | null): name is string {
  return name !== null && /^[^\s<|\\/>]{1,64}$/.test(name)
}

/** A single text is written as a string, unless it was stored as a part of this dialect. */
function writeContent(items: readonly (Said | Output)[], role: MessageRole): string | object[] {
  const [first, ...rest] = items
  if (first?.kind === 'text' && rest.length === 0 && ownPart(first, 'OPENAI_CHAT') === null) return first.text
  return items.flatMap((item) => writePart(item, role) ?? [])
}

/** Only an assistant refuses. */
function writePart(item: Said | Output, role: MessageRole): object | null {
  if (item.kind === 'file') return writeFile(item)
  if (item.kind === 'refusal' && role !== 'ASSISTANT') return { type: 'text', text: item.text }
  const own = ownPart(item, 'OPENAI_CHAT')
  if (own !== null) return own
  return item.kind === 'text' || item.kind === 'refusal' ? { type: 'text', text: item.text } : null
}

/**
 * Pictures by URL or by bytes; sounds and PDF by bytes only. The text of other documents goes as a text, as OpenAI says.
 *
 * Source: https://developers.openai.com/api/docs/guides/file-inputs and .../guides/audio, 2026-11.
 */
function writeFile(file: File): object | null {
  const own = ownPart(file, 'OPENAI_CHAT')
  if (file.source.kind === 'provider') return own
  const url = urlOf(file)
  if (url === null) return null
  const part = (type: string, value: (kept: JsonRecord) => JsonRecord) => {
    const kept = own?.type === type ? own : { type }
    return { ...kept, [type]: value(isRecord(kept[type]) ? kept[type] : {}) }
  }
  if (isOpenAiPicture(file)) return part('image_url', (kept) => ({ ...kept, url }))
  if (file.source.kind !== 'bytes') return null
  const { base64: data } = file.source
  const format = sounds.get(file.mediaType)
  if (format !== undefined) return part('input_audio', (kept) => ({ ...kept, data, format }))
  const named = own?.type === 'file' ? {} : { filename: file.filename ?? 'file' }
  if (isPdf(file)) return part('file', (kept) => ({ ...named, ...kept, file_data: url }))
  const text = textOfFile(file)
  return text === null ? null : { type: 'text', text }
}

const sounds = new Map([
  ['audio/wav', 'wav'],
  ['audio/mpeg', 'mp3'],
])

/**
 * Other providers know `video_url` and the like. Such a part needs an address that they can fetch. A part of a known kind
 * is here only if it lacks what it needs.
 */
function isUnknownPart({ raw }: Other): boolean {
  const part = ownPart({ raw }, 'OPENAI_CHAT') ?? {}
  if (typeof part.type !== 'string' || part.type === '' || readTypes.has(part.type)) return false
  const value = /_url$/.test(String(part.type)) ? part[String(part.type)] : null
  const url = isRecord(value) ? value.url : value
  return typeof url !== 'string' || fileByUrl(url, '', null, raw).source.kind !== 'none'
}

const readTypes: ReadonlySet<string> = new Set([
  'text',
  'refusal',
  'image_url',
  'input_audio',
  'file',
  'function',
  'custom',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
])

/** All other fields of the provider's call are given back: some providers refuse a call without them. */
function writeCall(call: Call): object {
  const own = ownPart(call, 'OPENAI_CHAT') ?? call.extra ?? {}
  const type = call.type === 'custom' ? 'custom' : 'function'
  const more: JsonRecord = isRecord(own[type]) ? own[type] : {}
  const text = argumentsText(call)
  const called = type === 'custom' ? { name: call.name, input: text } : { name: call.name, arguments: text }
  return { ...own, id: call.callId, type, [type]: { ...more, ...called } }
}

function writeAnswer({ result: { callId, output } }: Answer): object {
  return { role: 'tool', tool_call_id: callId, content: output.length === 0 ? '' : writeContent(output, 'TOOL') }
}
