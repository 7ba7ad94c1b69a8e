import type { JsonRecord } from '../../../entities/json.ts'
import { argumentsText } from '../../items/arguments.ts'
import { isImage, urlOf } from '../../items/file-source.ts'
import { type Call, type File, type Hosted, type Output, ownPart, type Reasoning, type Said } from '../../items/item.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'

export const openAiResponses: Dialect = {
  parts: 'OPENAI_RESPONSES',
  takes: (item, role) => {
    if (item.kind === 'reasoning') return writeReasoning(item).length > 0
    return item.kind !== 'file' || (role === 'USER' && writeFile(item) !== null)
  },
  takesOutput: (item) => item.kind !== 'file' || writeFile(item) !== null,
  callIds: { maxLength: 64, unfit: null, mayRepeat: false },
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
  for (const item of items) {
    const within = item.raw?.format === 'OPENAI_RESPONSES' && item.raw.within?.role === role ? item.raw.within : null
    if (within === null && isContent(item)) content.push(item)
    else {
      say()
      // Several items may come from one stored item of the Responses API: it is written once.
      if (within !== null) written.push(...(written.at(-1) === within ? [] : [within]))
      else if (item.kind === 'call') written.push(writeCall(item))
      else if (item.kind === 'reasoning') written.push(...writeReasoning(item))
      else written.push(...partOf(item))
    }
  }
  say()
  return [...written, ...answers.map(writeAnswer)]
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

/** Pictures and documents, by URL or by bytes. */
function writeFile(file: File): object | null {
  const own = ownPart(file, 'OPENAI_RESPONSES')
  const url = urlOf(file)
  if (own !== null || url === null || file.source === null) return own
  if (isImage(file)) return { type: 'input_image', image_url: url, detail: 'auto' }
  if (file.mediaType.startsWith('audio/') || file.mediaType.startsWith('video/')) return null
  if ('url' in file.source) return { type: 'input_file', file_url: url }
  return { type: 'input_file', file_data: url, filename: file.filename ?? 'file' }
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
  if (call.native !== undefined) return own
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
