import type { JsonRecord } from '../../../entities/json.ts'
import { denialText } from '../../items/denial.ts'
import { fileByData, fileByText, fileByUrl, fileElsewhere } from '../../items/file-source.ts'
import type { Approval, Call, File, Hosted, Item, Output, Raw, Result } from '../../items/item.ts'
import { asText, isRecord, textOfJson } from '../../items/json.ts'
import { approvalOf } from './parts.ts'

/**
 * Reads parts of a UIMessage or of a ModelMessage. A tool part of a UIMessage is both a call and its result. Such
 * results are put behind all other items, because an assistant says a whole step before any call of it is answered;
 * `pair` then gives each result to the call of its part.
 */
export function readAiSdk(parts: readonly unknown[]): Item[] {
  const read = parts.map(readPart)
  const items = read.map(([item]) => item)
  const hosted = new Set(items.flatMap((item) => (item.kind === 'hosted' ? [item.callId] : [])))
  return [
    ...items.map((item) => (item.kind === 'result' && hosted.has(item.callId) ? hostedResult(item) : item)),
    ...read.flatMap(([, result]) => result ?? []),
  ]
}

/** The SDK writes the result of a call that the provider ran as any other result. */
function hostedResult({ callId, raw }: Result): Hosted {
  const own = raw ?? { format: 'AI_SDK', part: null }
  return { kind: 'hosted', half: 'result', callId, name: '', arguments: '', raw: own }
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
    case 'tool-approval-request':
    case 'tool-approval-response':
      return [readApprovalPart(part, raw) ?? { kind: 'other', raw }]
    default:
      return readToolPart(part, raw) ?? [{ kind: 'other', raw }]
  }
}

function readCall(part: JsonRecord, name: unknown, raw: Raw): Call | Hosted | null {
  const callId = asText(part.toolCallId)
  if (callId === null) return null
  const text = part.input === undefined ? '' : textOfJson(part.input)
  const called = { callId, name: asText(name) ?? '', arguments: text, raw }
  return part.providerExecuted === true
    ? { kind: 'hosted', half: 'call', ...called }
    : { kind: 'call', type: 'function', extra: null, ...called }
}

function readApprovalPart(part: JsonRecord, raw: Raw): Item | null {
  const [approvalId, callId] = [asText(part.approvalId), asText(part.toolCallId)]
  if (approvalId === null) return null
  if (part.type === 'tool-approval-response') {
    return { kind: 'approval-response', approvalId, isApproved: part.approved === true, raw }
  }
  return callId === null ? null : { kind: 'approval-request', approvalId, callId, raw }
}

/**
 * Reads a part `tool-NAME` or `dynamic-tool` of a UIMessage. A part that holds a call that the provider ran and its
 * result is kept unread.
 */
function readToolPart(part: JsonRecord, raw: Raw): [Item, Result?] | null {
  const { type } = part
  if (typeof type !== 'string' || typeof part.state !== 'string') return null
  if (type !== 'dynamic-tool' && !type.startsWith('tool-')) return null
  const call = readCall(part, type === 'dynamic-tool' ? part.toolName : type.slice('tool-'.length), raw)
  if (call === null) return null
  const approval = readApproval(part)
  const asked = approval === null ? call : { ...call, approval }
  if (asked.kind === 'hosted') {
    const isWhole = part.state === 'output-available' || part.state === 'output-error'
    return [isWhole ? { kind: 'other', raw, callId: call.callId } : asked]
  }
  const result = (value: unknown, more: { readonly isError: boolean; readonly isDenial?: true }): [Item, Result] => {
    const output: Output[] = [{ kind: 'text', text: textOfJson(value), raw: null }]
    return [asked, { kind: 'result', callId: call.callId, name: call.name, output, raw, ...more }]
  }
  switch (part.state) {
    case 'output-available':
      return result(part.output, { isError: false })
    case 'output-error':
      return result(part.errorText, { isError: true })
    case 'input-streaming':
      return [{ ...asked, isPartial: true }]
    default: {
      return part.state === 'output-denied' || approval?.isApproved === false
        ? result(denialText(approvalOf(part) ?? {}), { isError: true, isDenial: true })
        : [asked]
    }
  }
}

/** The two parts that `convertToModelMessages` makes of the `approval` of a part. */
function readApproval(part: JsonRecord): Approval | null {
  const approval = approvalOf(part)
  if (approval === null) return null
  const { toolCallId, providerExecuted } = part
  const { approved, requestReason, reason, isAutomatic, signature, inputSchemaInput } = approval
  const id = String(approval.id)
  const isApproved = typeof approved === 'boolean' ? approved : null
  const request = { reason: requestReason, isAutomatic, signature, inputSchemaInput }
  return {
    id,
    isApproved,
    request: { type: 'tool-approval-request', approvalId: id, toolCallId, ...given(request) },
    response:
      isApproved === null
        ? null
        : { type: 'tool-approval-response', approvalId: id, approved, ...given({ reason, providerExecuted }) },
  }
}

function given(fields: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function readResult(part: JsonRecord, raw: Raw): Result | null {
  const callId = asText(part.toolCallId)
  if (callId === null || !isRecord(part.output)) return null
  const { type, value, reason } = part.output
  const isError = type === 'error-text' || type === 'error-json' || type === 'execution-denied'
  const output: Output[] =
    type === 'content' && Array.isArray(value)
      ? value.map(readOutput)
      : [{ kind: 'text', text: type === 'execution-denied' ? denialText({ reason }) : textOfJson(value), raw: null }]
  const denial = type === 'execution-denied' ? { isDenial: true } : {}
  return { kind: 'result', callId, name: asText(part.toolName), isError, output, raw, ...denial }
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
  return fileElsewhere(providerReference(part), mediaType, filename, raw)
}

/**
 * What names a file that lies with a provider: `{ PROVIDER: ID }`, as the SDK's `uploadFile` returns it. In a part of a
 * ModelMessage it may stand in place of the data.
 */
export function providerReference({ providerReference: ofUi, data, image }: JsonRecord): JsonRecord | null {
  const given = ofUi ?? data ?? image
  const reference = isRecord(given) && given.type === 'reference' ? given.reference : given
  const ids = isRecord(reference) && !('type' in reference) ? Object.values(reference) : []
  return ids.length > 0 && ids.every((id) => typeof id === 'string' && id !== '') ? (reference as JsonRecord) : null
}

function typed(given: unknown, isUrl: boolean): JsonRecord {
  return isUrl || (typeof given === 'string' && /^\s*https?:/i.test(given))
    ? { type: 'url', url: given }
    : { type: 'data', data: given }
}
