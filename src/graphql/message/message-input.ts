import { Field, ID, InputType } from 'type-graphql'
import { contractLimits, type Limits } from '../../config.ts'
import { Json, JsonObject, type JsonRecord } from '../../entities/json.ts'
import { MessageRole, MessageStatus, PartsFormat } from '../../entities/message-enums.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { ToolCall } from '../../entities/tool-call.ts'
import { badInput, tooLarge } from '../../errors.ts'
import type { NewMessage } from '../../storage/message/new-message.ts'
import { textOfParts } from '../../window/read-parts.ts'
import { isGiven } from '../input/is-given.ts'
import { jsonBytes } from '../input/json-rules.ts'
import { hashPayload } from '../input/payload-hash.ts'
import { requireName, requireStorable } from '../input/text-rules.ts'

@InputType({ description: 'A call of a tool that an assistant asks for.' })
export class ToolCallInput {
  @Field(() => String, { description: "The provider's id of the call, at most 255 characters." })
  callId!: string

  @Field(() => String, { description: 'The name of the tool, at most 255 characters.' })
  name!: string

  @Field(() => String, { description: 'The arguments exactly as the model wrote them; kept byte for byte.' })
  arguments!: string

  @Field(() => String, { nullable: true, description: 'The kind of call; `function` unless given.' })
  type?: string | null

  @Field(() => JsonObject, { nullable: true, description: "Whatever else the provider's call holds." })
  extra?: JsonRecord | null
}

@InputType({
  description:
    'A message to append. It has content, parts or tool calls. null is the same as absent; at most 1 MiB in all.',
})
export class MessageInput {
  @Field(() => MessageRole, { description: 'Who speaks.' })
  role!: MessageRole

  @Field(() => String, { nullable: true, description: 'The name of the speaker, at most 255 characters.' })
  name?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'Its text. Absent with `parts` of a known format: their text parts, joined.',
  })
  content?: string | null

  @Field(() => [Json], {
    nullable: true,
    description: 'Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts.',
  })
  parts?: unknown[] | null

  @Field(() => PartsFormat, { nullable: true, description: 'The dialect of `parts`.' })
  partsFormat?: PartsFormat | null

  @Field(() => [ToolCallInput], {
    nullable: true,
    description: 'The tools that an assistant asks to be called, at most `MAX_TOOL_CALLS`.',
  })
  toolCalls?: ToolCallInput[] | null

  @Field(() => String, { nullable: true, description: 'Of a TOOL message: the name of the tool.' })
  toolName?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'Of a TOOL message, and required there: the call that it answers.',
  })
  toolCallId?: string | null

  @Field(() => Boolean, { nullable: true, description: 'Of a TOOL message: whether the tool failed.' })
  toolError?: boolean | null

  @Field(() => String, { nullable: true, description: 'The model that wrote it.' })
  model?: string | null

  @Field(() => String, { nullable: true, description: "The provider's reason for ending there." })
  finishReason?: string | null

  @Field(() => JsonObject, { nullable: true, description: "The provider's token counts." })
  usage?: JsonRecord | null

  @Field(() => JsonObject, { nullable: true, description: "The caller's own data about it, at most 16 KiB as JSON." })
  metadata?: JsonRecord | null

  @Field(() => String, {
    nullable: true,
    description:
      "The caller's own id for it, at most 255 characters: an append that is tried again with it happens once.",
  })
  clientId?: string | null

  @Field(() => Timestamp, { nullable: true, description: "The caller's own time for it; orders nothing." })
  sentAt?: string | null

  @Field(() => ID, {
    nullable: true,
    description:
      "The `id` of the message of this conversation that it continues, in order to branch: to edit a message, its `parentId`, or the conversation's own `id` where that is null; to answer anew, what is answered. Absent: the message before it in this call, or else the active leaf.",
  })
  parentId?: string | null
}

/**
 * Checks a message and completes it.
 *
 * @param path where it stands in the input, for the errors
 * @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE
 */
export function readMessageInput(path: string, input: MessageInput, limits: Limits): NewMessage {
  requireCount(`${path}.toolCalls`, input.toolCalls?.length ?? 0, limits.toolCalls)
  requireCount(`${path}.parts`, input.parts?.length ?? 0, limits.parts)
  const toolCalls = (input.toolCalls ?? []).map((call, index) => readToolCall(`${path}.toolCalls[${index}]`, call))
  for (const field of shortTexts) {
    const text = input[field] ?? null
    if (text !== null) requireName(`${path}.${field}`, text, contractLimits.name)
  }
  if (isGiven(input.clientId)) requireName(`${path}.clientId`, input.clientId, contractLimits.clientId)
  if (isGiven(input.content)) requireStorable(`${path}.content`, input.content)
  if (isGiven(input.metadata)) requireMetadata(`${path}.metadata`, input.metadata, limits)
  requireSubstance(path, input)
  const size = countBytes(input)
  if (size > limits.messageBytes) throw tooLarge(path, 'bytes', limits.messageBytes, size)
  const derived = isGiven(input.content) ? null : textOfParts(input.parts ?? null, input.partsFormat ?? null)
  return {
    role: input.role,
    name: input.name ?? null,
    content: input.content ?? derived,
    parts: input.parts ?? null,
    partsFormat: input.partsFormat ?? null,
    toolCalls,
    toolName: input.toolName ?? null,
    toolCallId: input.toolCallId ?? null,
    toolError: input.toolError ?? null,
    model: input.model ?? null,
    finishReason: input.finishReason ?? null,
    usage: input.usage ?? null,
    metadata: input.metadata ?? {},
    clientId: input.clientId ?? null,
    payloadHash: isGiven(input.clientId) ? hashPayload(input) : null,
    size: size + (derived === null ? 0 : Buffer.byteLength(derived)),
    sentAt: input.sentAt ?? null,
    status: MessageStatus.COMPLETE,
  }
}

/** @throws ApiError PAYLOAD_TOO_LARGE */
export function requireMetadata(path: string, metadata: JsonRecord, limits: Limits): void {
  const bytes = jsonBytes(metadata)
  if (bytes > limits.metadataBytes) throw tooLarge(path, 'bytes', limits.metadataBytes, bytes)
}

const shortTexts = ['name', 'toolName', 'toolCallId', 'model', 'finishReason'] as const

function readToolCall(path: string, input: ToolCallInput): ToolCall {
  requireName(`${path}.callId`, input.callId, contractLimits.name)
  requireName(`${path}.name`, input.name, contractLimits.name)
  requireStorable(`${path}.arguments`, input.arguments)
  if (isGiven(input.type)) requireName(`${path}.type`, input.type, contractLimits.name)
  return {
    callId: input.callId,
    name: input.name,
    arguments: input.arguments,
    type: input.type ?? 'function',
    extra: input.extra ?? null,
  }
}

function requireCount(path: string, count: number, limit: number): void {
  if (count > limit) throw tooLarge(path, 'items', limit, count)
}

function requireSubstance(path: string, input: MessageInput): void {
  const isEmpty = !isGiven(input.content) && !input.parts?.length && !input.toolCalls?.length
  if (isEmpty) throw badInput(path, 'a message needs content, parts or tool calls.')
  if (input.role === 'TOOL' && !isGiven(input.toolCallId)) {
    throw badInput(`${path}.toolCallId`, 'a TOOL message says which call it answers.')
  }
}

/** UTF-8 bytes of all that the caller wrote; JSON as text. */
function countBytes(input: MessageInput): number {
  let bytes = 0
  for (const value of Object.values(input)) {
    if (typeof value === 'string') bytes += Buffer.byteLength(value)
    else if (typeof value === 'object' && value !== null) bytes += jsonBytes(value)
  }
  return bytes
}
