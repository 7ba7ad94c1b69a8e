import type { JsonRecord } from '../../../entities/json.ts'
import { argumentsText } from '../../items/arguments.ts'
import { fileByUrl, urlOf } from '../../items/file-source.ts'
import {
  type Call,
  type File,
  type Hosted,
  type Other,
  type Output,
  ownPart,
  type Raw,
  type Reasoning,
  type Said,
} from '../../items/item.ts'
import { asText, isRecord } from '../../items/json.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
import { isOpenAiDocument, isOpenAiPicture, mostOpenAiPictures } from '../openai-files.ts'
import { isWholeItem, readNativeId } from './read.ts'

export const openAiResponses: Dialect = {
  parts: 'OPENAI_RESPONSES',
  takes: (item, role) => {
    if (item.kind === 'reasoning') return writeReasoning(item).length > 0
    if (item.kind === 'other') return isWholeItem(item.raw.part) && (role === 'ASSISTANT' || !isModels(item))
    return item.kind !== 'file' || (role === 'USER' && writeFile(item) !== null)
  },
  takesOutput: (item) =>
    item.kind === 'other' ? isOutputItem(item) : item.kind !== 'file' || writeFile(item) !== null,
  callIds: { maxLength: 64, unfit: null, mayRepeat: false },
  maxImages: mostOpenAiPictures,
  keepsWaiting: ({ native, approval }) => native !== undefined && approval !== undefined,
  answersInWords: ({ type }) => Object.hasOwn(resultsInWords, type),
  write: (steps) => ({ system: null, messages: steps.flatMap(writeStep) }),
}

function writeStep({ message, items, answers }: Step): object[] {
  const role = message.role.toLowerCase()
  const written: object[] = []
  let content: Content[] = []
  const say = () => {
    if (content.length > 0) written.push({ type: 'message', role, content: writeContent(content, role) })
    content = []
  }
  // Several items may come from one stored item of the Responses API: it is written once, where its first one stands.
  const parts = Map.groupBy(items, (item) => withinOf(item, role))
  for (const item of items) {
    const within = withinOf(item, role)
    if (within === null && isContent(item)) content.push(item)
    else {
      say()
      const whole = within === null ? undefined : parts.get(within)
      parts.delete(within)
      if (within !== null) written.push(...(whole === undefined ? [] : [writeWithin(within, whole)]))
      else if (item.kind === 'call') written.push(writeCall(item))
      else if (item.kind === 'reasoning') written.push(...writeReasoning(item))
      else written.push(...partOf(item))
    }
  }
  say()
  return [...written, ...answers.map(writeAnswer)]
}

/** The API refuses `input_text` and the like of an assistant: such a message is written anew. */
function withinOf({ raw }: Said, role: string): JsonRecord | null {
  const within = raw?.format === 'OPENAI_RESPONSES' ? raw.within : undefined
  if (within === undefined || within.role !== role) return null
  const isSpoken = role !== 'assistant' || !Array.isArray(within.content) || within.content.every(isOutputPart)
  return isSpoken ? within : null
}

function isOutputPart(part: unknown): boolean {
  return isRecord(part) && (part.type === 'output_text' || part.type === 'refusal')
}

/** A stored item unchanged, but for the files in it: each as `writeFile` writes it, and only those that are kept. */
function writeWithin(within: JsonRecord, items: readonly Said[]): JsonRecord {
  if (!Array.isArray(within.content)) return within
  const kept = new Map(items.map((item) => [item.raw?.insteadOf ?? item.raw?.part, item]))
  const content = within.content.flatMap((part: unknown): unknown[] => {
    const item = kept.get(part)
    if (isRecord(part) && part.type !== 'input_image' && part.type !== 'input_file') {
      // An empty text is kept beside others, because it is a part of the item.
      return item !== undefined || part.text === '' ? [part] : []
    }
    return item === undefined || !isContent(item) ? [] : writePart(item)
  })
  return { ...within, content }
}

type Content = Exclude<Said, Call | Hosted | Reasoning>

/** A part of an unknown kind is content if its type begins with `input_`; otherwise it is an item. */
function isContent(item: Said): item is Content {
  if (item.kind === 'other') return item.raw.within !== undefined || String(partOf(item)[0]?.type).startsWith('input_')
  return item.kind === 'text' || item.kind === 'refusal' || item.kind === 'file'
}

/** The API takes only a string as content of an assistant's message that was not stored as an item. */
function writeContent(content: readonly Content[], role: string): string | object[] {
  if (role === 'assistant') return textsOf(content)
  const [first, ...rest] = content
  if (first?.kind === 'text' && rest.length === 0 && partOf(first).length === 0) return first.text
  return content.flatMap(writePart)
}

function partOf(item: Said | Output): JsonRecord[] {
  const own = ownPart(item, 'OPENAI_RESPONSES')
  return own === null ? [] : [own]
}

function writePart(item: Content): object[] {
  if (item.kind === 'other') return partOf(item)
  if (item.kind === 'file') return [writeFile(item) ?? []].flat()
  const [own] = partOf(item)
  return [own?.type === 'input_text' ? own : { type: 'input_text', text: item.text }]
}

/** Only a model says that something was called. */
function isModels({ raw }: Other): boolean {
  const { type } = ownPart({ raw }, 'OPENAI_RESPONSES') ?? {}
  return raw.within === undefined && typeof type === 'string' && type.endsWith('_call')
}

/** Whether an output, or a part of one, can go back. That of `computer_call` is a picture, which needs an address. */
function isOutputItem({ raw }: Other): boolean {
  const part = ownPart({ raw }, 'OPENAI_RESPONSES') ?? {}
  const { type, output, approve } = part
  switch (type) {
    case 'computer_call_output':
      return isRecord(output) && isScreenshot(output, raw)
    case 'mcp_approval_response':
      return typeof approve === 'boolean'
    case 'local_shell_call_output':
      return typeof output === 'string'
    case 'shell_call_output':
      return Array.isArray(output)
    default:
      if (String(type).endsWith('_output')) return readNativeId(part, String(type)) !== null
      return String(type).startsWith('input_') && isWholeItem(part)
  }
}

function isScreenshot({ image_url: url, file_id: id }: JsonRecord, raw: Raw): boolean {
  if (typeof url !== 'string') return typeof id === 'string' && id !== ''
  const picture = fileByUrl(url, 'image/*', null, raw)
  return picture.source.kind !== 'none' && isOpenAiPicture(picture)
}

/** Pictures and documents, by URL or by bytes. */
function writeFile(file: File): object | null {
  const own = ownPart(file, 'OPENAI_RESPONSES')
  if (file.source.kind === 'provider') return own
  const url = urlOf(file)
  if (url === null) return null
  const part = (type: string, more: JsonRecord) => (own?.type === type ? own : { type, ...more })
  if (isOpenAiPicture(file)) return { ...part('input_image', { detail: 'auto' }), image_url: url }
  if (!isOpenAiDocument(file)) return null
  const { file_data: _, file_url, ...named } = part('input_file', { filename: file.filename ?? 'file' })
  if (file.source.kind === 'bytes') return { ...named, file_data: url }
  return { ...(own?.type === 'input_file' ? named : { type: 'input_file' }), file_url: url }
}

/**
 * The API finds reasoning by its id, or reads it from `encrypted_content`; its summary alone is nothing to it. The API
 * refuses reasoning without a `summary`, which may be empty. `ResponseReasoningItem` in the API reference, read 2026-11.
 */
function writeReasoning(item: Reasoning): object[] {
  return partOf(item)
    .filter(({ id, encrypted_content: encrypted }) =>
      [id, encrypted].some((one) => typeof one === 'string' && one !== ''),
    )
    .map((own) => (Array.isArray(own.summary) ? own : { ...own, summary: [] }))
}

function writeCall(call: Call): object {
  const own = ownPart(call, 'OPENAI_RESPONSES') ?? {}
  const isBare = call.type === 'mcp_approval_request' && (asText(own.arguments) ?? '').trim() === ''
  if (call.native !== undefined) return isBare ? { ...own, arguments: '{}' } : own
  const text = argumentsText(call)
  const called = { ...own, call_id: call.callId, name: call.name }
  return call.type === 'custom'
    ? { ...called, type: 'custom_tool_call', input: text }
    : { ...called, type: 'function_call', arguments: text }
}

function writeAnswer({ call, result }: Answer): object {
  const own = ownPart(result, 'OPENAI_RESPONSES') ?? {}
  if (result.native !== undefined) return own
  const inWords = call.native === undefined ? undefined : resultsInWords[call.type]
  if (inWords !== undefined) return inWords(call.callId, textsOf(result.output), result.isError)
  const type = call.type === 'custom' ? 'custom_tool_call_output' : 'function_call_output'
  // Only the output of a function has these.
  const { name: _, namespace, status, ...common } = own
  if (own.type !== type) return { ...common, type, call_id: result.callId, output: writeOutput(result.output) }
  const name = own.name === undefined ? {} : { name: call.name }
  return { ...own, ...name, type, call_id: result.callId, output: writeOutput(result.output) }
}

/**
 * Results of native calls that can be a text. The others cannot: the result of `computer_call`, for example, is a
 * picture. Taken from the types of `ResponseInputItem` in openai 6 (2026-11). The type of a local shell's output names
 * its call by `id`, the guide by `call_id`.
 */
const resultsInWords: Readonly<Record<string, (callId: string, text: string, isError: boolean) => object>> = {
  local_shell_call: (id, output) => ({ type: 'local_shell_call_output', id, call_id: id, output }),
  shell_call: (id, text, isError) => ({
    type: 'shell_call_output',
    call_id: id,
    output: [
      {
        stdout: isError ? '' : text,
        stderr: isError ? text : '',
        outcome: { type: 'exit', exit_code: isError ? 1 : 0 },
      },
    ],
  }),
  apply_patch_call: (id, output, isError) => ({
    type: 'apply_patch_call_output',
    call_id: id,
    status: isError ? 'failed' : 'completed',
    output,
  }),
  mcp_approval_request: (id, reason) => ({
    type: 'mcp_approval_response',
    approval_request_id: id,
    approve: false,
    reason,
  }),
}

function textsOf(output: readonly Output[]): string {
  return output.map((item) => (item.kind === 'text' || item.kind === 'refusal' ? item.text : '')).join('')
}

function writeOutput(output: readonly Output[]): string | object[] {
  const [first, ...rest] = output
  if (first === undefined) return ''
  return first.kind === 'text' && rest.length === 0 && partOf(first).length === 0
    ? first.text
    : output.flatMap(writePart)
}
