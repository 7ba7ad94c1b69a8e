import type { Message } from '../../../src/entities/message/message.ts'
import type { PartsFormat } from '../../../src/entities/message/message-enums.ts'

/** Where a dialect may have a file: parts of a message of the user, or of the result of call `a`. */
export interface FilePlace {
  readonly name: string
  readonly format: PartsFormat
  readonly isResult: boolean
  readonly parts: (given: string, mediaType: string) => unknown[]
}

type MakePart = (given: string, mediaType: string) => unknown

function said(name: string, format: PartsFormat, make: MakePart): FilePlace {
  return { name: `${format}: ${name}`, format, isResult: false, parts: (given, type) => [make(given, type)] }
}

function answered(name: string, format: PartsFormat, make: MakePart, wrap: (part: unknown) => unknown): FilePlace {
  return { name: `${format}: ${name}`, format, isResult: true, parts: (given, type) => [wrap(make(given, type))] }
}

const inputImage: MakePart = (url) => ({ type: 'input_image', image_url: url, detail: 'low' })
const urlImage: MakePart = (url) => ({ type: 'image', source: { type: 'url', url } })
const modelResult = (part: unknown) => ({
  type: 'tool-result',
  toolCallId: 'a',
  toolName: 'look',
  output: { type: 'content', value: [part] },
})

/** Every place in which the types of the SDKs have a picture by its address. */
export const addressPlaces: readonly FilePlace[] = [
  said('image_url', 'OPENAI_CHAT', (url) => ({ type: 'image_url', image_url: { url, detail: 'low' } })),
  said('input_image', 'OPENAI_RESPONSES', inputImage),
  said('input_image without a detail', 'OPENAI_RESPONSES', (url) => ({ type: 'input_image', image_url: url })),
  said('input_image in an item', 'OPENAI_RESPONSES', (url, type) => ({
    type: 'message',
    role: 'user',
    content: [{ type: 'input_text', text: 'See.' }, inputImage(url, type)],
  })),
  answered('input_image in an output', 'OPENAI_RESPONSES', inputImage, (part) => ({
    type: 'function_call_output',
    call_id: 'a',
    output: [part],
  })),
  said('image', 'ANTHROPIC', urlImage),
  answered('image in a result', 'ANTHROPIC', urlImage, (part) => ({
    type: 'tool_result',
    tool_use_id: 'a',
    content: [part],
  })),
  said('file of a UIMessage', 'AI_SDK', (url, mediaType) => ({ type: 'file', mediaType, url })),
  said('image of a ModelMessage', 'AI_SDK', (image) => ({ type: 'image', image })),
  said('file of a ModelMessage', 'AI_SDK', (data, mediaType) => ({ type: 'file', mediaType, data })),
  said('tagged file of a ModelMessage', 'AI_SDK', (url, mediaType) => ({
    type: 'file',
    mediaType,
    data: { type: 'url', url },
  })),
  answered('file-url in a result', 'AI_SDK', (url, mediaType) => ({ type: 'file-url', mediaType, url }), modelResult),
  answered('image-url in a result', 'AI_SDK', (url) => ({ type: 'image-url', url }), modelResult),
  said('image_url', 'LANGCHAIN', (url) => ({ type: 'image_url', image_url: { url } })),
  said('image_url as a text', 'LANGCHAIN', (url) => ({ type: 'image_url', image_url: url })),
  said('image of old', 'LANGCHAIN', (url, type) => ({ type: 'image', source_type: 'url', mime_type: type, url })),
  said('image', 'LANGCHAIN', (url, mimeType) => ({ type: 'image', mimeType, url })),
  said("a provider's image", 'LANGCHAIN', urlImage),
]

/** Every place in which the types of the SDKs have the bytes of a file beside a media type. */
export const bytesPlaces: readonly FilePlace[] = [
  said('image_url', 'OPENAI_CHAT', (data, type) => ({
    type: 'image_url',
    image_url: { url: `data:${type};base64,${data}` },
  })),
  said('file', 'OPENAI_CHAT', (data, type) => ({ type: 'file', file: { file_data: `data:${type};base64,${data}` } })),
  said('input_image', 'OPENAI_RESPONSES', (data, type) => inputImage(`data:${type};base64,${data}`, type)),
  said('input_file', 'OPENAI_RESPONSES', (data, type) => ({
    type: 'input_file',
    file_data: `data:${type};base64,${data}`,
  })),
  said('input_image in an item', 'OPENAI_RESPONSES', (data, type) => ({
    role: 'user',
    content: [inputImage(`data:${type};base64,${data}`, type), { type: 'input_text', text: 'See.' }],
  })),
  said('image', 'ANTHROPIC', (data, type) => ({ type: 'image', source: { type: 'base64', media_type: type, data } })),
  answered(
    'image in a result',
    'ANTHROPIC',
    (data, type) => ({ type: 'image', source: { type: 'base64', media_type: type, data } }),
    (part) => ({ type: 'tool_result', tool_use_id: 'a', content: [part] }),
  ),
  said('file of a UIMessage', 'AI_SDK', (data, mediaType) => ({
    type: 'file',
    mediaType,
    url: `data:${mediaType};base64,${data}`,
  })),
  said('file of a ModelMessage', 'AI_SDK', (data, mediaType) => ({ type: 'file', mediaType, data })),
  said('tagged file of a ModelMessage', 'AI_SDK', (data, mediaType) => ({
    type: 'file',
    mediaType,
    data: { type: 'data', data },
  })),
  answered(
    'file-data in a result',
    'AI_SDK',
    (data, mediaType) => ({ type: 'file-data', mediaType, data }),
    modelResult,
  ),
  said('image', 'LANGCHAIN', (data, mimeType) => ({ type: 'image', mimeType, data })),
  said('file of old', 'LANGCHAIN', (data, type) => ({ type: 'file', source_type: 'base64', mime_type: type, data })),
]

/** A conversation with such a file. The user says something before it. */
export function tellFile(place: FilePlace, given: string, mediaType = 'image/png'): Partial<Message>[] {
  const parts = place.parts(given, mediaType)
  const question: Partial<Message> = { role: 'USER', content: 'Look.' }
  const { format: partsFormat } = place
  if (!place.isResult) return [question, { role: 'USER', parts, partsFormat }]
  const call = { callId: 'a', name: 'look', arguments: '{}', type: 'function', extra: null }
  return [
    question,
    { role: 'ASSISTANT', content: null, toolCalls: [call] },
    { role: 'TOOL', toolCallId: 'a', parts, partsFormat },
  ]
}

const filler = Array.from({ length: 64 }, (_, at) => (at * 37) % 251)

function bytes(...head: (number | string)[]): string {
  const start = head.flatMap((one) => (typeof one === 'number' ? [one] : [...Buffer.from(one, 'latin1')]))
  return Buffer.from([...start, ...filler]).toString('base64')
}

/** The beginning of a file of each type, by the specification of the type. */
export const bytesOf: Readonly<Record<string, string>> = {
  'image/png': bytes(0x89, 'PNG\r\n', 0x1a, '\n'),
  'image/jpeg': bytes(0xff, 0xd8, 0xff, 0xe0),
  'image/gif': bytes('GIF89a'),
  'image/webp': bytes('RIFF', 9, 0, 0, 0, 'WEBPVP8 '),
  'image/bmp': bytes('BM', 9, 1, 0, 0, 0, 0, 0, 0),
  'image/tiff': bytes('II*', 0),
  'image/heic': bytes(0, 0, 0, 24, 'ftypheic'),
  'image/avif': bytes(0, 0, 0, 28, 'ftypavif'),
  'image/svg+xml': Buffer.from('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64'),
  'application/pdf': bytes('%PDF-1.7\n'),
  'audio/wav': bytes('RIFF', 9, 0, 0, 0, 'WAVEfmt '),
  'audio/mpeg': bytes('ID3', 4, 0, 0),
}
