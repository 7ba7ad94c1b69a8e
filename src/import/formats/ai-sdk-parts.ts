import { isRecord, type JsonRecord, textOf } from '../told/record.ts'

/**
 * The parts of a UIMessage. Parts of version 4 of the AI SDK get the form that they have since version 5, as the SDK's own
 * guide to migration says (2026-11): the window and the SDK read no other. All other parts stay as they are.
 */
export function readUiParts(parts: readonly unknown[]): unknown[] {
  return parts.map((part) => (isRecord(part) ? readPart(part) : part))
}

function readPart(part: JsonRecord): JsonRecord {
  const { type, toolInvocation: call, source } = part
  if (type === 'tool-invocation' && isRecord(call) && textOf(call.toolName) !== null) return readInvocation(call)
  if (type === 'reasoning' && part.text === undefined && typeof part.reasoning === 'string') {
    const { reasoning, details, ...rest } = part
    const signature = Array.isArray(details) ? details.map((detail) => isRecord(detail) && detail.signature) : []
    const signed = signature.find((text) => typeof text === 'string')
    return { ...rest, text: reasoning, ...(signed ? { providerMetadata: { anthropic: { signature: signed } } } : {}) }
  }
  if (type === 'file' && part.url === undefined && typeof part.data === 'string') {
    const { mimeType, data, ...rest } = part
    const url = /^(https?|data):/i.test(data) ? data : `data:${mimeType};base64,${data}`
    return { ...rest, mediaType: part.mediaType ?? mimeType, url }
  }
  if (type === 'source' && isRecord(source) && source.sourceType === 'url') {
    const { sourceType: _, id, ...rest } = source
    return { type: 'source-url', sourceId: id, ...rest }
  }
  return part
}

const states: Readonly<Record<string, string>> = {
  'partial-call': 'input-streaming',
  call: 'input-available',
  result: 'output-available',
}

function readInvocation({ toolName, args, result, state, step: _, ...rest }: JsonRecord): JsonRecord {
  const now = states[String(state)] ?? 'input-available'
  return {
    type: `tool-${toolName}`,
    ...rest,
    state: now,
    input: args,
    ...(result === undefined ? {} : { output: result }),
  }
}
