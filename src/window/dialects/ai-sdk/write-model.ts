import type { JsonRecord } from '../../../entities/json.ts'
import { argumentsObject } from '../../items/arguments.ts'
import { urlOf } from '../../items/file-source.ts'
import {
  type Approval,
  type Call,
  type File,
  type Hosted,
  type Other,
  type Output,
  type Result,
  type Said,
} from '../../items/item.ts'
import { isRecord } from '../../items/json.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
import { callIds, maxImages, providerData, sdkPart, takesText, textOfOutput, writeInstructions } from './parts.ts'
import { providerReference } from './read.ts'

export const aiSdkModel: Dialect = {
  parts: 'AI_SDK',
  takes: (item, role) => {
    if (item.kind === 'text' || item.kind === 'refusal') return takesText(item.text, role)
    if (item.kind === 'file') return role !== 'TOOL' && writeFile(item) !== null
    if (item.kind !== 'other' && item.kind !== 'hosted') return true
    return role === 'ASSISTANT' && writeOther(item).length > 0
  },
  takesOutput: (item) => item.kind !== 'other' && (item.kind !== 'file' || urlOf(item) !== null),
  callIds,
  keepsWaiting: () => true,
  maxImages,
  write: (steps) => ({ system: writeInstructions(steps), messages: steps.flatMap(writeStep) }),
}

function writeStep({ message: { role }, items, answers, waiting }: Step): object[] {
  if (role !== 'USER' && role !== 'ASSISTANT') return []
  const approvals = new Map<Said, Approval>(
    waiting.flatMap(({ call, approval }) => (approval === null ? [] : [[call, approval] as const])),
  )
  const content = items.flatMap((item) => {
    const approval = approvals.get(item)
    return approval === undefined ? writePart(item) : [...writePart(item), nameCall(approval.request, item)]
  })
  const replies = new Map<Said, object>([
    ...answers.map((answer) => [answer.call, writeAnswer(answer)] as const),
    ...waiting.flatMap(({ call, approval }) => (approval?.response ? [[call, approval.response] as const] : [])),
  ])
  const said = { role: role.toLowerCase(), content }
  const tool = items.flatMap((item) => replies.get(item) ?? [])
  return tool.length === 0 ? [said] : [said, { role: 'tool', content: tool }]
}

/** The id of a call may be another one in the window. */
function nameCall(request: JsonRecord, item: Said): object {
  return 'callId' in item ? { ...request, toolCallId: item.callId } : request
}

function writePart(item: Said): object[] {
  const data = providerData(item)
  const options = data === null ? {} : { providerOptions: data }
  switch (item.kind) {
    case 'text':
    case 'reasoning':
      return [{ type: item.kind, text: item.text, ...options }]
    case 'refusal':
      return [{ type: 'text', text: item.text }]
    case 'file':
      return [writeFile(item) ?? []].flat()
    case 'other':
    case 'hosted':
      return writeOther(item)
    case 'call':
      return [writeCall(item)]
  }
}

/**
 * Custom parts, and what the provider ran. A part of a UIMessage that holds a call and its result becomes two parts, as
 * in `convertToModelMessages`.
 */
function writeOther(item: Other | Hosted): object[] {
  const own = sdkPart(item)
  if (own === null) return []
  if (own.type === 'custom') {
    const data = providerData(item)
    return [{ type: 'custom', kind: own.kind, ...(data === null ? {} : { providerOptions: data }) }]
  }
  if (item.kind === 'hosted' && (own.type === 'tool-call' || own.type === 'tool-result')) return [own]
  if (own.providerExecuted !== true || typeof own.state !== 'string') return []
  const { toolCallId, callProviderMetadata: ofCall, resultProviderMetadata: ofResult = ofCall } = own
  const toolName = own.type === 'dynamic-tool' ? own.toolName : String(own.type).slice('tool-'.length)
  const named = { toolCallId, toolName }
  const input = own.input ?? own.rawInput ?? {}
  const called = { type: 'tool-call', ...named, input, providerExecuted: true, ...optionsOf(ofCall) }
  if (item.kind === 'hosted') return [called]
  const value = own.state === 'output-error' ? own.errorText : own.output
  const type = own.state === 'output-error' ? 'error-json' : typeof value === 'string' ? 'text' : 'json'
  return [called, { type: 'tool-result', ...named, output: { type, value: value ?? null }, ...optionsOf(ofResult) }]
}

function optionsOf(metadata: unknown): object {
  return metadata ? { providerOptions: metadata } : {}
}

/** The URL is a string, because JSON has no `URL`: the SDK accepts both. */
function writeFile(file: File): object | null {
  const reference = file.source.kind === 'provider' ? providerReference(sdkPart(file) ?? {}) : null
  const bytes = file.source.kind === 'bytes' ? file.source.base64 : urlOf(file)
  if (reference === null && bytes === null) return null
  const data = providerData(file)
  return {
    type: 'file',
    mediaType: file.mediaType,
    data: reference === null ? bytes : { type: 'reference', reference },
    ...(file.filename === null ? {} : { filename: file.filename }),
    ...(data === null ? {} : { providerOptions: data }),
  }
}

function writeCall(call: Call): object {
  const own = sdkPart(call) ?? {}
  const options = own.callProviderMetadata ?? providerData(call)
  return {
    type: 'tool-call',
    toolCallId: call.callId,
    toolName: call.name,
    input: 'input' in own ? own.input : argumentsObject(call),
    ...(options ? { providerOptions: options } : {}),
  }
}

function writeAnswer({ call, result }: Answer): object {
  const data = providerData(result)
  return {
    type: 'tool-result',
    toolCallId: call.callId,
    toolName: call.name,
    output: writeOutput(result, sdkPart(result)),
    ...(data === null ? {} : { providerOptions: data }),
  }
}

function writeOutput({ output, isError, isDenial }: Result, own: JsonRecord | null): object {
  if (own?.type === 'tool-result' && isRecord(own.output) && own.output.type !== 'content') return own.output
  const text = textOfOutput(output)
  if (isDenial) return { type: 'execution-denied', reason: text }
  if (isError) return { type: 'error-text', value: text }
  if (typeof own?.state === 'string' && typeof own.output !== 'string')
    return { type: 'json', value: own.output ?? null }
  return output.some(({ kind }) => kind === 'file')
    ? { type: 'content', value: output.flatMap(writeContent) }
    : { type: 'text', value: text }
}

function writeContent(item: Output): object[] {
  if (item.kind === 'text' || item.kind === 'refusal') return [{ type: 'text', text: item.text }]
  if (item.kind === 'other') return []
  const { mediaType, source } = item
  if (source.kind === 'url') return [{ type: 'file-url', url: source.url, mediaType }]
  return source.kind === 'bytes' ? [{ type: 'file', mediaType, data: { type: 'data', data: source.base64 } }] : []
}
