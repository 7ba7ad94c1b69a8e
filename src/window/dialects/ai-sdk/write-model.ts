import type { JsonRecord } from '../../../entities/json.ts'
import { argumentsObject } from '../../items/arguments.ts'
import { urlOf } from '../../items/file-source.ts'
import { type Call, type File, type Output, ownPart, type Said } from '../../items/item.ts'
import { isRecord } from '../../items/json.ts'
import type { Answer, Step } from '../../items/step.ts'
import type { Dialect } from '../dialect.ts'
import { callIds, maxImages, providerData, providerReference, textOfOutput, writeInstructions } from './parts.ts'

export const aiSdkModel: Dialect = {
  parts: 'AI_SDK',
  takes: (item, role) => {
    if (item.kind === 'file') return role !== 'TOOL' && writeFile(item) !== null
    return item.kind !== 'other' || (role === 'ASSISTANT' && ownPart(item, 'AI_SDK')?.type === 'custom')
  },
  takesOutput: (item) => item.kind !== 'other' && (item.kind !== 'file' || urlOf(item) !== null),
  callIds,
  maxImages,
  write: (steps) => ({ system: writeInstructions(steps), messages: steps.flatMap(writeStep) }),
}

function writeStep({ message: { role }, items, answers }: Step): object[] {
  if (role !== 'USER' && role !== 'ASSISTANT') return []
  const said = { role: role.toLowerCase(), content: items.flatMap(writePart) }
  return answers.length === 0 ? [said] : [said, { role: 'tool', content: answers.map(writeAnswer) }]
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
      return [{ type: 'custom', kind: ownPart(item, 'AI_SDK')?.kind, ...options }]
    case 'call':
      return [writeCall(item)]
  }
}

/** The URL is a string, because JSON has no `URL`: the SDK accepts both. */
function writeFile(file: File): object | null {
  const reference = providerReference(file)
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
  const own = ownPart(call, 'AI_SDK') ?? {}
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
    output: writeOutput(result.output, result.isError, ownPart(result, 'AI_SDK')),
    ...(data === null ? {} : { providerOptions: data }),
  }
}

function writeOutput(output: readonly Output[], isError: boolean, own: JsonRecord | null): object {
  if (own?.type === 'tool-result' && isRecord(own.output) && own.output.type !== 'content') return own.output
  const text = textOfOutput(output)
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
