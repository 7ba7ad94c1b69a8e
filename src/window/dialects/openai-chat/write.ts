import type { JsonRecord } from '../../../entities/json.ts'
import type { ReasoningContent } from '../../../entities/window-enums.ts'
import { argumentsText } from '../../items/arguments.ts'
import { isImage, urlOf } from '../../items/file-source.ts'
import { type Call, type File, type Output, ownPart, type Said } from '../../items/item.ts'
import { isRecord } from '../../items/json.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
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
    takes: (item, role) => item.kind !== 'file' || (role === 'USER' && writeFile(item) !== null),
    takesReasoning: (item, beside) =>
      reasoning !== 'NONE' &&
      (reasoning === 'ALL' || beside.some(({ kind }) => kind === 'call')) &&
      (item.raw.format === 'OPENAI_CHAT' || item.text.trim() !== ''),
    takesOutput: ({ kind }) => kind === 'text' || kind === 'refusal',
    callIds: { maxLength: 40, unfit: null, mayRepeat: true },
    write: (steps) => ({ system: null, messages: steps.flatMap((step) => writeStep(step, reasoning !== 'NONE')) }),
  }
}

function writeStep({ message, items, answers }: Step, hasReasoning: boolean): object[] {
  const name = isName(message.name) ? { name: message.name } : {}
  const reasoning = items.filter((item) => item.kind === 'reasoning')
  const said = items.filter(({ kind }) => kind !== 'call' && kind !== 'reasoning')
  const calls = items.filter((item) => item.kind === 'call')
  const content = said.length === 0 ? null : writeContent(said)
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
function writeContent(items: readonly (Said | Output)[]): string | object[] {
  const [first, ...rest] = items
  if (first?.kind === 'text' && rest.length === 0 && ownPart(first, 'OPENAI_CHAT') === null) return first.text
  return items.flatMap((item) => ownPart(item, 'OPENAI_CHAT') ?? writePart(item) ?? [])
}

function writePart(item: Said | Output): object | null {
  if (item.kind === 'text' || item.kind === 'refusal') return { type: 'text', text: item.text }
  return item.kind === 'file' ? writeFile(item) : null
}

/** Pictures by URL or by bytes; sounds and documents by bytes only. */
function writeFile(file: File): object | null {
  const own = ownPart(file, 'OPENAI_CHAT')
  const url = urlOf(file)
  if (own !== null || url === null) return own
  if (isImage(file)) return { type: 'image_url', image_url: { url } }
  if (file.source === null || 'url' in file.source) return null
  const { base64: data } = file.source
  const format = sounds.get(file.mediaType)
  if (format !== undefined) return { type: 'input_audio', input_audio: { data, format } }
  if (file.mediaType.startsWith('audio/') || file.mediaType.startsWith('video/')) return null
  return { type: 'file', file: { file_data: url, filename: file.filename ?? 'file' } }
}

const sounds = new Map([
  ['audio/wav', 'wav'],
  ['audio/x-wav', 'wav'],
  ['audio/mpeg', 'mp3'],
  ['audio/mp3', 'mp3'],
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
  return { role: 'tool', tool_call_id: callId, content: output.length === 0 ? '' : writeContent(output) }
}
