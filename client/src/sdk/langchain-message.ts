import {
  type BaseMessage,
  type StoredMessage as LangChainMessage,
  mapChatMessagesToStoredMessages,
  mapStoredMessagesToChatMessages,
} from '@langchain/core/messages'
import { asJson, isRecord, isSameJson } from '../message/json.ts'
import type { Message, MessageInput } from '../schema/types.ts'

/** Begins a client id that was drawn, and is no id of LangChain's. */
export const drawnId = 'unnamed-'

/** Leaves room in a client id for what a history adds to it. */
export const longestId = 200

/**
 * A message as it is stored. Whatever its fields would not give back is kept beside them, in `metadata.langchain`; where
 * that is large, in a last part.
 *
 * @throws TypeError for what JSON cannot hold
 */
export function toInput(message: BaseMessage, clientId: string): MessageInput {
  // LangChain writes bytes down as objects, without a word.
  asJson([message.content, (message as { artifact?: unknown }).artifact])
  const [dict] = mapChatMessagesToStoredMessages([message])
  const given = asJson(dict as LangChainMessage) as Dict
  const input = { ...fieldsOf(given), clientId }
  const rest = difference(given, toDict(input, {}, isFirstVersion(given)))
  if (isEmpty(rest)) return input
  if (JSON.stringify(rest).length <= mostInMetadata) return { ...input, metadata: { langchain: rest } }
  const part = { type: 'non_standard', value: { langchain: rest } }
  return { ...input, parts: [...(input.parts ?? []), part], partsFormat: 'LANGCHAIN' }
}

/** The message again; one that another program has stored, as LangChain would have it. */
export function toMessage(stored: Message): BaseMessage {
  const last = stored.parts?.at(-1) as { type?: unknown; value?: { langchain?: Rest } } | undefined
  const rest = last?.type === 'non_standard' ? last.value?.langchain : undefined
  const parts = rest === undefined ? stored.parts : (stored.parts?.slice(0, -1) ?? null)
  const dict =
    wholeOf(stored) ?? toDict({ ...stored, parts }, rest ?? (stored.metadata.langchain as Rest | undefined) ?? {})
  // LangChain writes its standard blocks under a name that it does not read.
  const { content_blocks: contentBlocks, ...data } = dict.data
  const read = { type: dict.type, data: contentBlocks === undefined ? data : { ...data, contentBlocks } }
  const [message] = mapStoredMessagesToChatMessages([read as unknown as LangChainMessage])
  return message as BaseMessage
}

/** The message that another program stored whole in a part: `toDict()` of it, or `toJSON()`. */
function wholeOf(stored: Message): Dict | null {
  const [part, ...others] = stored.partsFormat === 'LANGCHAIN' ? (stored.parts ?? []) : []
  if (!isRecord(part) || others.length > 0) return null
  const { type, data = part.kwargs, id } = part
  const name = String(type === 'constructor' && Array.isArray(id) ? id.at(-1) : type)
  const kind = name.replace(/Message(Chunk)?$/, '').toLowerCase()
  if (!isRecord(data) || !wholeKinds.includes(kind)) return null
  const { name: tool = stored.toolName ?? 'function', tool_call_id = stored.toolCallId ?? '', role = 'user' } = data
  const named = { function: { name: tool }, tool: { tool_call_id }, generic: { role }, chat: { role } }[kind] ?? {}
  return { type: kind === 'chat' ? 'generic' : kind, data: { ...given('id', idOf(stored)), ...data, ...named } }
}

const wholeKinds = ['human', 'ai', 'system', 'tool', 'function', 'generic', 'chat']

/** The client id, unless it was drawn. */
function idOf(fields: Fields | Message): string | undefined {
  const clientId = 'clientId' in fields ? (fields.clientId ?? undefined) : undefined
  return clientId?.startsWith(drawnId) ? undefined : clientId
}

const longestName = 255

/** Of 16 KiB that a server takes unless it is told otherwise. */
const mostInMetadata = 8_192

/** A message as LangChain writes it down. */
interface Dict {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What the fields of a message do not give back. */
interface Rest {
  readonly type?: string
  readonly data?: Readonly<Record<string, unknown>>
  /** Keys that the fields give, and the message has not. */
  readonly without?: readonly string[]
}

type Fields = Omit<MessageInput, 'clientId' | 'metadata'>

function fieldsOf({ type, data }: Dict): Fields {
  const role = roleOf(type, data)
  const name = short(data.name)
  const calls = callsOf(data)
  const { model_name, model, finish_reason, stop_reason } = (data.response_metadata ?? {}) as Record<string, unknown>
  return {
    role,
    ...contentOf(data),
    ...(role === 'TOOL'
      ? { toolCallId: short(data.tool_call_id) ?? name ?? 'function', ...given('toolName', name) }
      : given('name', name)),
    ...given('toolError', data.status === undefined || role !== 'TOOL' ? undefined : data.status === 'error'),
    ...given('toolCalls', calls.length === 0 ? undefined : calls),
    ...given('usage', isRecord(data.usage_metadata) ? data.usage_metadata : undefined),
    ...given('model', short(model_name) ?? short(model)),
    ...given('finishReason', short(finish_reason) ?? short(stop_reason)),
  }
}

function roleOf(type: string, data: Dict['data']): MessageInput['role'] {
  switch (type) {
    case 'ai':
      return 'ASSISTANT'
    case 'system':
      return isDeveloper(data) ? 'DEVELOPER' : 'SYSTEM'
    case 'tool':
    case 'function':
      return 'TOOL'
    case 'generic':
      return genericRoles[String(data.role)] ?? 'USER'
    case 'human':
      return 'USER'
    default:
      throw new TypeError(`A message of type ${type} cannot be stored.`)
  }
}

const genericRoles: Readonly<Record<string, MessageInput['role']>> = {
  assistant: 'ASSISTANT',
  ai: 'ASSISTANT',
  system: 'SYSTEM',
  developer: 'DEVELOPER',
}

function contentOf(data: Dict['data']): Pick<Fields, 'content' | 'parts' | 'partsFormat'> {
  const content = data.content ?? data.content_blocks
  const isBlocks = Array.isArray(content) && content.length > 0
  return isBlocks ? { parts: content, partsFormat: 'LANGCHAIN' } : { content: text(content) ?? '' }
}

/**
 * `tool_calls`, and then those whose arguments are no JSON: a model needs these too, because each may have a result that
 * tells of the error. Where there are none, what LangChain stored before it had them. A call of 2023 had no id.
 */
function callsOf(data: Dict['data']): NonNullable<MessageInput['toolCalls']> {
  const old = isRecord(data.additional_kwargs) ? data.additional_kwargs : {}
  const calls = listOf(data.tool_calls).map(({ id, name, args }) => ({ id, name, text: JSON.stringify(args ?? {}) }))
  const invalid = listOf(data.invalid_tool_calls).map(({ id, name, args }) => ({ id, name, text: text(args) ?? '' }))
  const before = listOf(old.tool_calls).map(({ id, function: called }) => ({ id, ...functionOf(called) }))
  const called = functionOf(old.function_call)
  const given =
    [[...calls, ...invalid], before, [{ id: called.name, ...called }]].find(({ length }) => length > 0) ?? []
  return given.flatMap(({ id, name, text }) => {
    const callId = short(id)
    const tool = short(name)
    return callId && tool ? [{ callId, name: tool, arguments: text }] : []
  })
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function functionOf(called: unknown): { readonly name: unknown; readonly text: string } {
  const { name, arguments: text } = isRecord(called) ? called : {}
  return { name, text: typeof text === 'string' ? text : '' }
}

/** The message that the fields make, whoever has written them, and what is kept beside them. */
function toDict(fields: Fields | Message, rest: Rest, isFirst = isFirstVersion(rest)): Dict {
  const { role, toolCalls, toolError, usage } = fields
  const blocks = blocksOf(fields)
  const data: Record<string, unknown> = {
    [blocks !== null && isFirst ? 'content_blocks' : 'content']: blocks ?? fields.content ?? '',
    ...given('id', idOf(fields)),
    ...given('name', (role === 'TOOL' ? fields.toolName : fields.name) ?? undefined),
    ...given('usage_metadata', usage ?? undefined),
    additional_kwargs: role === 'DEVELOPER' ? { __openai_role__: 'developer' } : {},
    response_metadata: {},
  }
  if (role === 'ASSISTANT') Object.assign(data, readCalls(toolCalls ?? []))
  if (role === 'TOOL') {
    data.tool_call_id = fields.toolCallId
    if (typeof toolError === 'boolean') data.status = toolError ? 'error' : 'success'
  }
  for (const key of rest.without ?? []) delete data[key]
  return { type: rest.type ?? types[role], data: { ...data, ...rest.data } }
}

const types = { USER: 'human', ASSISTANT: 'ai', SYSTEM: 'system', DEVELOPER: 'system', TOOL: 'tool' } as const

/** The content where it is blocks that LangChain knows; null: it is a text. */
function blocksOf({ parts, partsFormat }: Fields | Message): readonly unknown[] | null {
  return parts?.length && blockFormats.includes(partsFormat ?? '') ? parts : null
}

const blockFormats: readonly string[] = ['LANGCHAIN', 'OPENAI_CHAT', 'ANTHROPIC']

function readCalls(calls: NonNullable<Fields['toolCalls']>) {
  const read = calls.map(({ callId, name, arguments: text }) => ({ id: callId, name, text, args: parse(text) }))
  return {
    tool_calls: read.flatMap(({ id, name, args }) => (args === null ? [] : [{ name, args, id, type: 'tool_call' }])),
    invalid_tool_calls: read.flatMap(({ id, name, text, args }) =>
      args === null ? [{ name, args: text, id, error: 'Malformed args.', type: 'invalid_tool_call' }] : [],
    ),
  }
}

function difference(given: Dict, back: Dict): Rest {
  const changed = Object.entries(given.data).filter(([key, value]) => !isSameJson(value, back.data[key]))
  const without = Object.keys(back.data).filter((key) => !Object.hasOwn(given.data, key))
  return {
    ...(given.type === back.type ? {} : { type: given.type }),
    ...(changed.length === 0 ? {} : { data: Object.fromEntries(changed) }),
    ...(without.length === 0 ? {} : { without }),
  }
}

function isEmpty(rest: Rest): boolean {
  return Object.keys(rest).length === 0
}

function isDeveloper(data: Dict['data']): boolean {
  return isRecord(data.additional_kwargs) && data.additional_kwargs.__openai_role__ === 'developer'
}

/** Whether its blocks are LangChain's standard ones, which it writes down under another name. */
function isFirstVersion({ data }: Rest): boolean {
  return isRecord(data?.response_metadata) && data.response_metadata.output_version === 'v1'
}

/** The arguments as an object; null: they are none. */
function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

/** What a name of the API can be. */
function short(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longestName ? value : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }
}
