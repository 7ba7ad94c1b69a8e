import { alternatives, resolve, type Shape, typeNamed } from './sdk-types.ts'

export type Next = (below: number) => number

/** What the texts of a part are, by the name of their field. */
export interface Words {
  /** A new text that no other part has. */
  mark(): string
  /** The id that a call and its result share. */
  readonly callId: string
  /** The call whose program makes this call. */
  readonly callerId: string
  /** The id of an item. */
  readonly id: string
  readonly toolName: string
  readonly address: string
  readonly base64: string
}

const responses = 'openai/resources/responses/responses.d.ts'
const chat = 'openai/resources/chat/completions/completions.d.ts'
const messages = '@anthropic-ai/sdk/resources/messages/messages.d.ts'
const beta = '@anthropic-ai/sdk/resources/beta/messages/messages.d.ts'
const ui = 'ai/dist/index.d.ts'
const model = '@ai-sdk/provider-utils/dist/index.d.ts'
const langchain = '@langchain/core/dist/messages/content'

const union = (...names: (readonly [file: string, path: string])[]): Shape => ({
  kind: 'union',
  of: names.map(([file, path]) => typeNamed(file, path)),
})

/** What the types of the SDKs allow at each place, both as it is sent and as it is answered. */
export const places = {
  OPENAI_RESPONSES: union([responses, 'ResponseInputItem'], [responses, 'ResponseOutputItem']),
  OPENAI_RESPONSES_CONTENT: typeNamed(responses, 'ResponseInputContent'),
  OPENAI_CHAT: typeNamed(chat, 'ChatCompletionMessageParam'),
  OPENAI_CHAT_CONTENT: union([chat, 'ChatCompletionContentPart'], [chat, 'ChatCompletionContentPartRefusal']),
  OPENAI_CHAT_CALL: typeNamed(chat, 'ChatCompletionMessageToolCall'),
  ANTHROPIC: union(
    [messages, 'ContentBlockParam'],
    [messages, 'ContentBlock'],
    [beta, 'BetaContentBlockParam'],
    [beta, 'BetaContentBlock'],
  ),
  AI_SDK: typeNamed(ui, 'UIMessagePart'),
  AI_SDK_MODEL: typeNamed(model, 'ModelMessage'),
  AI_SDK_MODEL_PART: {
    kind: 'union',
    of: ['AssistantContent', 'UserContent', 'ToolContent'].flatMap((name) =>
      alternatives(typeNamed(model, name)).flatMap((shape) => (shape.kind === 'list' ? alternatives(shape.of) : [])),
    ),
  },
  LANGCHAIN: union(
    [`${langchain}/index.d.ts`, 'ContentBlock.Standard'],
    [`${langchain}/data.d.ts`, 'Data.DataContentBlock'],
    [`${langchain}/data.d.ts`, 'MessageContentText'],
    [`${langchain}/data.d.ts`, 'MessageContentImageUrl'],
  ),
} satisfies Record<string, Shape>

/** A value of this type. Optional fields are there or not. */
export function make(shape: Shape, next: Next, words: Words, name = '', depth = 0): unknown {
  const whole = resolve(shape)
  switch (whole.kind) {
    case 'literal':
      return whole.value ?? null
    case 'text':
      return whole.head === '' ? textFor(name, next, words) : `${whole.head}${words.toolName}`
    case 'number':
      return next(20) === 0 ? Number.MAX_SAFE_INTEGER : next(100)
    case 'boolean':
      return next(2) === 0
    case 'unknown':
      if (/^(name|toolName)$/.test(name)) return words.toolName
      return name === 'output' || name === 'data' ? words.mark() : { said: words.mark() }
    case 'list':
      return Array.from({ length: next(3) === 0 || depth > 6 ? 0 : 1 + next(2) }, () =>
        make(whole.of, next, words, name, depth + 1),
      )
    case 'object': {
      const made: Record<string, unknown> = {}
      for (const [field, { shape: inner, isOptional }] of whole.fields) {
        const type = resolve(inner)
        if (type.kind === 'never' || (isOptional && (depth > 5 || next(3) > 0) && !hinted.has(field))) continue
        made[field] = make(inner, next, words, field, depth + 1)
      }
      if (whole.others !== null && whole.fields.size === 0 && next(2)) {
        made[/provider(Options|Metadata)|ProviderMetadata/.test(name) ? 'openai' : 'other'] = make(
          whole.others,
          next,
          words,
          'value',
          depth + 1,
        )
      }
      return made
    }
    case 'union': {
      const of = alternatives(whole).filter(({ kind }) => kind !== 'never')
      return make(of[next(of.length)] as Shape, next, words, name, depth)
    }
    default:
      throw new Error(whole.kind)
  }
}

/** Fields that make a file or a call what it is, although the types say that they may be missing. */
const hinted = new Set([
  'image_url',
  'file_data',
  'filename',
  'url',
  'data',
  'type',
  'encrypted_content',
  'id',
  'signature',
])

function textFor(name: string, next: Next, words: Words): string {
  if (/^(call_id|tool_use_id|toolCallId|tool_call_id|approval_request_id)$/.test(name)) return words.callId
  if (name === 'caller_id' || name === 'tool_id') return words.callerId
  if (name === 'approvalId') return `ap-${words.callId}`
  if (name === 'id' || name === 'file_id' || name === 'fileId') return words.id
  if (/^(name|toolName)$/.test(name)) return words.toolName
  if (name === 'arguments') return JSON.stringify({ said: words.mark() })
  if (name === 'args') return JSON.stringify({ said: words.mark() })
  if (/^(image_url|url|file_url)$/.test(name)) return words.address
  if (/^(data|file_data|image|result)$/.test(name))
    return name === 'file_data' ? `data:application/pdf;base64,${words.base64}` : words.base64
  if (/^(media_?[tT]ype|mime_?[tT]ype)$/.test(name))
    return ['image/png', 'application/pdf', 'image/jpg', 'image/svg+xml', 'audio/wav', 'text/plain'][next(6)] as string
  if (/^(filename|title|context|signature|encrypted_content|fingerprint|code|kind|sourceId)$/.test(name))
    return name === 'kind' ? 'openai.x' : `${name}-${next(999)}`
  return words.mark()
}
