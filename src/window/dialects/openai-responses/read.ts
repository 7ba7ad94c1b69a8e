import type { JsonRecord } from '../../../entities/json.ts'
import { fileByData, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import type { Call, Hosted, Item, Other, Output, Raw, Result } from '../../items/item.ts'
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
        : fileElsewhere(asText(part.file_id), 'image/*', null, raw)
    case 'input_file':
      return readFile(part, raw)
    default:
      return null
  }
}

function readFile({ file_data: data, file_url: url, file_id: id, filename }: JsonRecord, raw: Raw): Output {
  if (typeof url === 'string') return fileByUrl(url, '', filename, raw)
  return typeof data === 'string' ? fileByData(data, '', filename, raw) : fileElsewhere(asText(id), '', filename, raw)
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
      const name = asText(part.name) ?? ''
      return { kind: 'call', callId, name, type, arguments: text, raw, extra: null, ...readCaller(part) }
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const output = readOutput(part.output)
      return { kind: 'result', callId: callId ?? '', name: asText(part.name), isError: false, output, raw }
    }
    default:
      return readApproved(part, raw) ?? readNative(part, raw)
  }
}

/** A call that a provider ran after people had allowed it. Whoever stores only what a model says has no response. */
function readApproved({ type, approval_request_id: callId }: JsonRecord, raw: Raw): Other | null {
  if (type !== 'mcp_call' || typeof callId !== 'string') return null
  const response = { type: 'mcp_approval_response', approval_request_id: callId, approve: true }
  const answer: Result = {
    kind: 'result',
    callId,
    name: null,
    isError: false,
    output: [],
    raw: { ...raw, part: response },
    native: 'mcp',
    isInferred: true,
  }
  return { kind: 'other', raw, answer }
}

/**
 * Reads calls that are no functions, and their results. They are read by shape, so that kinds that are new are read as
 * well: `computer_call` and `computer_call_output`, `program` and `program_output`, `mcp_approval_request` and
 * `mcp_approval_response`. Items that are a call and its result at once, such as `web_search_call`, have no `call_id`.
 */
function readNative(part: JsonRecord, raw: Raw): Call | Result | Hosted | null {
  const type = asText(part.type) ?? ''
  const [, native = '', half] = /^(.*?)(?:_call)?(_output|_approval_request|_approval_response)?$/.exec(type) ?? []
  const callId = readNativeId(part, type)
  if (callId === null) return null
  const isResult = half === '_output' || half === '_approval_response'
  const name = asText(part.name) ?? native
  const text = asText(part.arguments) ?? JSON.stringify(part)
  if (native === 'program' || (native === 'tool_search' && part.execution !== 'client')) {
    return { kind: 'hosted', half: isResult ? 'result' : 'call', callId, name, arguments: text, raw }
  }
  if (isResult) {
    return { kind: 'result', callId, name: null, isError: false, output: [{ kind: 'other', raw }], raw, native }
  }
  const call: Call = {
    kind: 'call',
    callId,
    name,
    type,
    arguments: text,
    raw,
    extra: null,
    native,
    ...readCaller(part),
  }
  const approval = { id: callId, isApproved: null, request: part, response: null }
  return half === '_approval_request' ? { ...call, approval } : call
}

/** Of a tool search that the provider runs, `call_id` is null: its result is the next one. */
export function readNativeId(part: JsonRecord, type: string): string | null {
  const callId = asText(part.call_id) || null
  if (type.endsWith('_approval_request')) return asText(part.id)
  if (type.endsWith('_approval_response')) return asText(part.approval_request_id)
  if (type === 'local_shell_call_output') return callId ?? asText(part.id)
  return callId ?? (type.startsWith('tool_search_') && part.call_id !== '' ? '' : null)
}

/**
 * Whether an item of a kind that is not read can go back: it has a kind, or refers to an item. The kinds that are read
 * are here only when they lack what they need, such as the `call_id` of a call.
 */
export function isWholeItem(part: unknown): boolean {
  if (!isRecord(part)) return false
  const { type, id, ...more } = part
  const isReference = type === 'item_reference' || ((type ?? null) === null && Object.keys(more).length === 0)
  if (isReference) return typeof id === 'string' && id !== ''
  return typeof type === 'string' && type !== '' && !readTypes.has(type) && !/_(output|approval_re\w+)$/.test(type)
}

/** From the types of `ResponseInputItem` and `ResponseInputContent` in openai 7 (2026-11). */
const readTypes: ReadonlySet<string> = new Set([
  'message',
  'input_text',
  'output_text',
  'text',
  'refusal',
  'input_image',
  'input_file',
  'function_call',
  'custom_tool_call',
  'computer_call',
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
  'tool_search_call',
  'program',
])

/**
 * The program that made this call, in a call that the model's program made and not the model itself. A program that is
 * not named is none of the window's.
 */
function readCaller({ caller }: JsonRecord): { callerId?: string } {
  if (!isRecord(caller)) return {}
  const callerId = asText(caller.caller_id) ?? (caller.type === 'program' ? '' : null)
  return callerId === null ? {} : { callerId }
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
