import { isRecord } from '../message/json.ts'
import type { Message } from '../schema/types.ts'
import type { ShownPart } from './shown-message.ts'

/**
 * The reasoning, the text and the pictures of a message, whichever SDK has stored it. Of the AI SDK's parts also the calls
 * and their results, because they stand nowhere else.
 */
export function partsOf({ parts, partsFormat, content }: Message): ShownPart[] {
  const given = (parts ?? []).filter(isRecord)
  if (partsFormat === 'AI_SDK' && given.length > 0) return given.flatMap(readAiSdk)
  const text: ShownPart[] = content ? [{ type: 'text', text: content }] : []
  return [...given.flatMap(readReasoning), ...text, ...given.flatMap(readPicture)]
}

type Part = Record<string, unknown>

function readAiSdk(part: Part): ShownPart[] {
  const { type, text, toolCallId, mediaType, url } = part
  if ((type === 'text' || type === 'reasoning') && typeof text === 'string') return text === '' ? [] : [{ type, text }]
  if (type === 'file' && typeof url === 'string' && String(mediaType).startsWith('image/')) {
    return [{ type: 'image', image: url }]
  }
  return typeof type === 'string' && typeof toolCallId === 'string' ? [readAiSdkCall(type, toolCallId, part)] : []
}

function readAiSdkCall(
  type: string,
  toolCallId: string,
  { toolName, input, output, errorText, state }: Part,
): ShownPart {
  const isError = state === 'output-error'
  return {
    type: 'tool-call',
    toolCallId,
    toolName: typeof toolName === 'string' ? toolName : type.replace(/^tool-/, ''),
    args: (isRecord(input) ? input : {}) as Record<string, never>,
    argsText: JSON.stringify(input ?? {}),
    ...(isError || state === 'output-available' ? { result: isError ? errorText : output, isError } : {}),
  }
}

/** Under the names of OpenAI's Responses API, Anthropic, LangChain, and of those who speak as OpenAI's chat completions do. */
function readReasoning(part: Part): ShownPart[] {
  const { type, thinking, reasoning, reasoning_content, reasoning_details, summary } = part
  const texts =
    type === 'thinking'
      ? [thinking]
      : type === 'reasoning_content'
        ? [reasoning_content]
        : type === 'reasoning_details'
          ? textsIn(reasoning_details)
          : type === 'reasoning'
            ? [reasoning, ...textsIn(summary)]
            : []
  const text = texts.filter((one) => typeof one === 'string').join('\n\n')
  return text === '' ? [] : [{ type: 'reasoning', text }]
}

function textsIn(list: unknown): unknown[] {
  return Array.isArray(list) ? list.map((item) => (isRecord(item) ? (item.text ?? item.summary) : undefined)) : []
}

function readPicture({ type, image_url, source }: Part): ShownPart[] {
  if (type === 'image_url' || type === 'input_image') {
    const url = isRecord(image_url) ? image_url.url : image_url
    return typeof url === 'string' ? [{ type: 'image', image: url }] : []
  }
  if (type !== 'image' || !isRecord(source)) return []
  const { url, media_type, data } = source
  const image = typeof url === 'string' ? url : `data:${media_type};base64,${data}`
  return [{ type: 'image', image }]
}
