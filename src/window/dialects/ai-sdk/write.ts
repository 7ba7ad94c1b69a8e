import type { JsonRecord } from '../../../entities/json.ts'
import { argumentsObject } from '../../items/arguments.ts'
import { denialText } from '../../items/denial.ts'
import { fileByUrl, urlOf } from '../../items/file-source.ts'
import type { Approval, Call, File, Hosted, Item, Other, Raw, Said } from '../../items/item.ts'
import { isRecord, textOfJson } from '../../items/json.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
import { callIds, maxImages, providerData, sdkPart, takesText, textOfOutput, writeInstructions } from './parts.ts'
import { providerReference, readAiSdk } from './read.ts'

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
    if (item.kind === 'text' || item.kind === 'refusal') return takesText(item.text, role)
    if (item.kind === 'file') return role !== 'TOOL' && writeFile(item) !== null
    if (item.kind === 'hosted') return item.raw.format === 'AI_SDK'
    return item.kind !== 'other' || (role === 'ASSISTANT' && isUiPart(item))
  },
  takesOutput: ({ kind }) => kind === 'text' || kind === 'refusal',
  callIds,
  maxImages,
  keepsWaiting: () => true,
  write(steps) {
    const messages: UiMessage[] = []
    const ran = resultsOf(steps)
    for (const step of steps) {
      const { role } = step.message
      if (role === 'USER') messages.push({ id: idOf(step), role: 'user', parts: writeStep(step, ran) })
      if (role !== 'ASSISTANT') continue
      let last = messages.at(-1)
      if (last?.role !== 'assistant') {
        last = { id: idOf(step), role: 'assistant', parts: [] }
        messages.push(last)
      }
      last.parts.push({ type: 'step-start' })
      for (const part of writeStep(step, ran)) last.parts.push(part)
    }
    return { system: writeInstructions(steps), messages }
  },
}

/** The `clientId`, because `useChat` stores its id of a message there. */
function idOf({ message: { clientId, id } }: Step): string {
  return clientId ?? id ?? 'new'
}

/** What the provider's own tools answered, by the ids of the calls: each becomes one part with its call. */
function resultsOf(steps: readonly Step[]): ReadonlyMap<string, Hosted> {
  const items = steps.flatMap((step) => step.items)
  return new Map(
    items.flatMap((item) => (item.kind === 'hosted' && item.half === 'result' ? [[item.callId, item]] : [])),
  )
}

function writeStep({ items, answers, waiting }: Step, ran: ReadonlyMap<string, Hosted>): object[] {
  const approvals = new Map<Said, Approval | null>(waiting.map(({ call, approval }) => [call, approval]))
  const tools = new Map<Said, object>(answers.map((answer) => [answer.call, writeTool(answer)]))
  return items.flatMap((item): object[] => {
    const tool = tools.get(item)
    if (tool !== undefined) return [tool]
    if (item.kind === 'call') return [writeWaiting(item, approvals.get(item) ?? null)]
    if (item.kind !== 'hosted') return writePart(item)
    if (item.half === 'result') return []
    const result = ran.get(item.callId)
    return [result === undefined ? writeWaiting(item, approvals.get(item) ?? null) : writeRan(item, result)]
  })
}

/** A call that the provider ran. Parts of a ModelMessage are two, and stand in several messages perhaps. */
function writeRan(call: Hosted, result: Hosted): object {
  const { output } = sdkPart(result) ?? {}
  const { type, value, reason } = isRecord(output) ? output : {}
  const metadata = providerData(result)
  const isError = type === 'error-text' || type === 'error-json' || type === 'execution-denied'
  const text = type === 'execution-denied' ? denialText({ reason }) : textOfJson(value)
  return {
    ...writeCalled(call),
    ...(isError ? { state: 'output-error', errorText: text } : { state: 'output-available', output: value ?? null }),
    ...(metadata === null ? {} : { resultProviderMetadata: metadata }),
  }
}

function writePart(item: Exclude<Said, Call | Hosted>): object[] {
  const data = providerData(item)
  const metadata = data === null ? {} : { providerMetadata: data }
  switch (item.kind) {
    case 'text':
    case 'reasoning': {
      const { providerOptions: _, ...own } = sdkPart(item) ?? {}
      return [{ ...own, type: item.kind, text: item.text, ...metadata }]
    }
    case 'refusal':
      return [{ type: 'text', text: item.text }]
    case 'file':
      return [writeFile(item) ?? []].flat()
    case 'other': {
      const { providerOptions: _, ...own } = sdkPart(item) ?? {}
      const input = 'toolCallId' in own && own.input === undefined ? { input: {} } : {}
      const steering = own.type === 'steering-message' ? { parts: readSteering(item.raw)?.map(writeSteering) } : {}
      return [{ ...own, ...metadata, ...input, ...steering, ...outcome(own) }]
    }
  }
}

/** Whether it is a part of a UIMessage, and has what the SDK demands of such a part. */
function isUiPart({ raw }: Other): boolean {
  const part = sdkPart({ raw }) ?? {}
  const { type, url } = part
  if (typeof type !== 'string' || modelTypes.has(type)) return false
  if (type === 'steering-message') {
    return typeof part.id === 'string' && readSteering(raw)?.every((item) => writeSteering(item) !== null) === true
  }
  const isTool = type.startsWith('tool-')
  const demanded = isTool ? ['toolCallId', 'state'] : /^data-./.test(type) ? [] : demandedTexts.get(type)
  if (demanded?.every((field) => typeof part[field] === 'string') !== true) return false
  if (type === 'reasoning-file') return fileByUrl(String(url), '', null, raw).source.kind !== 'none'
  return !type.startsWith('data-') || (part.data !== undefined && typeof (part.id ?? '') === 'string')
}

/** The texts that parts must have. Source: `safeValidateUIMessages` of ai 7, 2026-11. */
const demandedTexts: ReadonlyMap<string, readonly string[]> = new Map([
  ['custom', ['kind']],
  ['source-url', ['sourceId', 'url']],
  ['source-document', ['sourceId', 'mediaType', 'title']],
  ['reasoning-file', ['mediaType', 'url']],
  ['dynamic-tool', ['toolName', 'toolCallId', 'state']],
])

/** Words of the user that came while the assistant worked: texts and files. */
function readSteering(raw: Raw): Item[] | null {
  const { parts } = sdkPart({ raw }) ?? {}
  return Array.isArray(parts) ? readAiSdk(parts) : null
}

function writeSteering(item: Item): object | null {
  if (item.kind === 'text') return writePart(item)[0] ?? null
  return item.kind === 'file' ? writeFile(item) : null
}

const modelTypes = new Set(['tool-call', 'tool-result', 'tool-approval-request', 'tool-approval-response'])

function writeFile(file: File): object | null {
  const own = sdkPart(file)
  const url = urlOf(file)
  const reference = file.source.kind === 'provider' ? providerReference(sdkPart(file) ?? {}) : null
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
  const ofCall = sdkPart(call) ?? {}
  const isWhole = typeof ofCall.state === 'string' && result.raw?.part === call.raw?.part
  if (isWhole && !(result.isDenial && denial === undefined)) {
    const denied = result.isDenial ? { state: 'output-denied' } : {}
    return { ...ofCall, ...named(call, ofCall), ...denied, ...outcome(ofCall) }
  }
  if (denial !== undefined)
    return { ...writeCalled(call), state: 'output-denied', approval: { ...writeApproval(denial), approved: false } }
  return {
    ...writeCalled(call),
    ...(result.isError
      ? { state: 'output-error', errorText: textOfOutput(result.output) || 'The tool failed.' }
      : { state: 'output-available', output: jsonOf(sdkPart(result)) ?? textOfOutput(result.output) }),
  }
}

function writeWaiting(call: Call | Hosted, approval: Approval | null): object {
  const ofCall = sdkPart(call) ?? {}
  const isWhole = ofCall.state === 'input-available' || ofCall.approval !== undefined
  if (typeof ofCall.state === 'string' && isWhole) return { ...ofCall, ...named(call, ofCall) }
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

/** The SDK wants an output, or the text of an error, in every finished call. JSON loses an output that is undefined. */
function outcome({ state, output, errorText }: JsonRecord): object {
  if (state === 'output-error') return { errorText: textOfJson(errorText) }
  return state === 'output-available' ? { output: output ?? null } : {}
}

/** The SDK wants an input in every finished call. */
function named({ callId, name }: Call | Hosted, { type, input = {} }: JsonRecord): object {
  return { toolCallId: callId, input, ...(type === 'dynamic-tool' ? { toolName: name } : {}) }
}

/** What a part says of the call itself. */
function writeCalled(call: Call | Hosted): object {
  const ofCall = sdkPart(call) ?? {}
  const { type, title, callProviderMetadata } = ofCall
  const metadata = callProviderMetadata ?? providerData(call)
  return {
    ...(typeof ofCall.state === 'string'
      ? { type, ...(type === 'dynamic-tool' ? { toolName: call.name } : {}) }
      : { type: 'dynamic-tool', toolName: call.name }),
    toolCallId: call.callId,
    ...(title === undefined ? {} : { title }),
    input: 'input' in ofCall ? ofCall.input : call.kind === 'hosted' ? {} : argumentsObject(call),
    ...(call.kind === 'hosted' ? { providerExecuted: true } : {}),
    ...(metadata ? { callProviderMetadata: metadata } : {}),
  }
}

/** A JSON result of a ModelMessage stays JSON. */
function jsonOf(part: JsonRecord | null): unknown {
  return isRecord(part?.output) && part.output.type === 'json' ? part.output.value : null
}
