import type { JsonRecord } from '../../../entities/json.ts'
import { argumentsObject } from '../../items/arguments.ts'
import { fileByUrl, urlOf } from '../../items/file-source.ts'
import { type Approval, type Call, type File, type Hosted, type Other, ownPart, type Said } from '../../items/item.ts'
import { isRecord } from '../../items/json.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
import { callIds, maxImages, providerData, providerReference, textOfOutput, writeInstructions } from './parts.ts'

interface UiMessage {
  readonly id: string
  readonly role: 'user' | 'assistant'
  readonly parts: object[]
}

/**
 * All that an assistant did between two messages of the user is one UIMessage. A `step-start` part begins each of its
 * steps, as in the messages that `streamText` makes.
 */
export const aiSdk: Dialect = {
  parts: 'AI_SDK',
  takes: (item, role) => {
    if (item.kind === 'file') return role !== 'TOOL' && writeFile(item) !== null
    if (item.kind !== 'other' && item.kind !== 'hosted') return true
    return role === 'ASSISTANT' && isUiPart(item)
  },
  takesOutput: ({ kind }) => kind === 'text' || kind === 'refusal',
  callIds,
  maxImages,
  keepsWaiting: () => true,
  write(steps) {
    const messages: UiMessage[] = []
    for (const step of steps) {
      const { role } = step.message
      if (role === 'USER') messages.push({ id: idOf(step), role: 'user', parts: step.items.flatMap(writePart) })
      if (role !== 'ASSISTANT') continue
      let last = messages.at(-1)
      if (last?.role !== 'assistant') {
        last = { id: idOf(step), role: 'assistant', parts: [] }
        messages.push(last)
      }
      last.parts.push({ type: 'step-start' })
      for (const part of writeStep(step)) last.parts.push(part)
    }
    return { system: writeInstructions(steps), messages }
  },
}

/** The `clientId`, because `useChat` stores its id of a message there. */
function idOf({ message: { clientId, id } }: Step): string {
  return clientId ?? id ?? 'new'
}

function writeStep({ items, answers, waiting }: Step): object[] {
  const tools = new Map<Said, object>(answers.map((answer) => [answer.call, writeTool(answer)]))
  for (const { call, approval } of waiting) if (call.kind === 'call') tools.set(call, writeWaiting(call, approval))
  return items.flatMap((item) => tools.get(item) ?? writePart(item))
}

function writePart(item: Said): object[] {
  const data = providerData(item)
  const metadata = data === null ? {} : { providerMetadata: data }
  switch (item.kind) {
    case 'text':
    case 'reasoning': {
      const { providerOptions: _, ...own } = ownPart(item, 'AI_SDK') ?? {}
      return [{ ...own, type: item.kind, text: item.text, ...metadata }]
    }
    case 'refusal':
      return [{ type: 'text', text: item.text }]
    case 'file':
      return [writeFile(item) ?? []].flat()
    case 'other':
    case 'hosted':
      return [ownPart(item, 'AI_SDK') ?? []].flat()
    case 'call':
      return []
  }
}

function isUiPart({ raw }: Other | Hosted): boolean {
  const { type, url } = ownPart({ raw }, 'AI_SDK') ?? {}
  if (type === 'reasoning-file') return typeof url === 'string' && fileByUrl(url, '', null, raw).source.kind !== 'none'
  return typeof type === 'string' && (uiTypes.has(type) || /^(data|tool)-/.test(type)) && !modelTypes.has(type)
}

const uiTypes = new Set(['custom', 'dynamic-tool', 'source-url', 'source-document'])
const modelTypes = new Set(['tool-call', 'tool-result', 'tool-approval-request', 'tool-approval-response'])

function writeFile(file: File): object | null {
  const own = ownPart(file, 'AI_SDK')
  const url = urlOf(file)
  const reference = providerReference(file)
  if (url === null && reference === null) return null
  const { mediaType } = file
  if (own?.type === 'file' && typeof own.url === 'string') return { ...own, mediaType, url: url ?? own.url }
  return {
    type: 'file',
    mediaType,
    url: url ?? '',
    ...(file.filename === null ? {} : { filename: file.filename }),
    ...(reference === null ? {} : { providerReference: reference }),
  }
}

/** A call and its result are one part. A part that was stored in this form changes only where it has to. */
function writeTool({ call, result, denial }: Answer): object {
  const ofCall = ownPart(call, 'AI_SDK') ?? {}
  const isWhole = typeof ofCall.state === 'string' && result.raw?.part === ofCall
  if (isWhole) return { ...ofCall, toolCallId: call.callId, ...(result.isDenial ? { state: 'output-denied' } : {}) }
  if (denial !== undefined) return { ...writeCalled(call), state: 'output-denied', approval: writeApproval(denial) }
  return {
    ...writeCalled(call),
    ...(result.isError
      ? { state: 'output-error', errorText: textOfOutput(result.output) || 'The tool failed.' }
      : { state: 'output-available', output: jsonOf(ownPart(result, 'AI_SDK')) ?? textOfOutput(result.output) }),
  }
}

function writeWaiting(call: Call, approval: Approval | null): object {
  const ofCall = ownPart(call, 'AI_SDK') ?? {}
  if (typeof ofCall.state === 'string') return { ...ofCall, toolCallId: call.callId }
  if (approval === null) return { ...writeCalled(call), state: 'input-available' }
  const state = approval.isApproved === null ? 'approval-requested' : 'approval-responded'
  return { ...writeCalled(call), state, approval: writeApproval(approval) }
}

/** The fields of both parts of a ModelMessage, under the names that they have in a UIMessage. */
function writeApproval({ id, isApproved, request, response }: Approval): object {
  const { reason: requestReason, isAutomatic, signature, inputSchemaInput } = request
  const approved = isApproved ?? undefined
  const fields = { requestReason, isAutomatic, signature, inputSchemaInput, approved, reason: response?.reason }
  return { id, ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) }
}

/** What a part says of the call itself. */
function writeCalled(call: Call): object {
  const ofCall = ownPart(call, 'AI_SDK') ?? {}
  const { type, toolName, title, callProviderMetadata } = ofCall
  const metadata = callProviderMetadata ?? providerData(call)
  return {
    ...(typeof ofCall.state === 'string'
      ? { type, ...(toolName === undefined ? {} : { toolName }) }
      : { type: 'dynamic-tool', toolName: call.name }),
    toolCallId: call.callId,
    ...(title === undefined ? {} : { title }),
    input: 'input' in ofCall ? ofCall.input : argumentsObject(call),
    ...(metadata ? { callProviderMetadata: metadata } : {}),
  }
}

/** A JSON result of a ModelMessage stays JSON. */
function jsonOf(part: JsonRecord | null): unknown {
  return isRecord(part?.output) && part.output.type === 'json' ? part.output.value : null
}
