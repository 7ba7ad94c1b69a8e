import type { Conversation } from '../../entities/conversation.ts'
import type { JsonRecord } from '../../entities/json.ts'
import { Message } from '../../entities/message.ts'
import { type MessageRole, MessageStatus, type PartsFormat } from '../../entities/message-enums.ts'
import type { ToolCall } from '../../entities/tool-call.ts'
import { writeJson } from '../postgres/column.ts'

/** A message that passed every check and has no seq yet. */
export interface NewMessage {
  readonly role: MessageRole
  readonly name: string | null
  readonly content: string | null
  readonly parts: unknown[] | null
  readonly partsFormat: PartsFormat | null
  readonly toolCalls: ToolCall[]
  readonly toolName: string | null
  readonly toolCallId: string | null
  readonly toolError: boolean | null
  readonly model: string | null
  readonly finishReason: string | null
  readonly usage: JsonRecord | null
  readonly metadata: JsonRecord
  readonly clientId: string | null
  /** Of a message that is appended: set exactly when `clientId` is. Of one that is there: null keeps the one it has. */
  readonly payloadHash: Buffer | null
  /** UTF-8 bytes of all that the caller wrote, and of a content derived from it. */
  readonly size: number
  readonly sentAt: string | null
  readonly status: MessageStatus
}

/** The columns that an append writes, with the SQL type of each, in the order of `newMessageValues`. */
export const newMessageColumns = [
  ['role', 'text'],
  ['name', 'text'],
  ['content', 'text'],
  ['parts', 'json'],
  ['parts_format', 'text'],
  ['tool_calls', 'json'],
  ['tool_name', 'text'],
  ['tool_call_id', 'text'],
  ['tool_error', 'boolean'],
  ['model', 'text'],
  ['finish_reason', 'text'],
  ['usage', 'json'],
  ['metadata', 'jsonb'],
  ['client_id', 'text'],
  ['payload_hash', 'bytea'],
  ['size', 'int'],
  ['sent_at', 'timestamptz'],
  ['status', 'text'],
] as const

/** How a message `m` that is there takes the values of `input`. */
export const messageAssignments = newMessageColumns
  .map(
    ([name]) =>
      `${name} = ${name === 'payload_hash' ? 'coalesce(input.payload_hash, m.payload_hash)' : `input.${name}`}`,
  )
  .join(', ')

export function newMessageValues(message: NewMessage): unknown[] {
  return [
    message.role,
    message.name,
    message.content,
    writeJson(message.parts),
    message.partsFormat,
    message.toolCalls.length === 0 ? null : writeJson(message.toolCalls),
    message.toolName,
    message.toolCallId,
    message.toolError,
    message.model,
    message.finishReason,
    writeJson(message.usage),
    writeJson(message.metadata),
    message.clientId,
    message.payloadHash === null ? null : `\\x${message.payloadHash.toString('hex')}`,
    message.size,
    message.sentAt,
    message.status,
  ]
}

/**
 * The message as it was stored at `seq`: what reading it again would answer, without reading it again. Its members come in
 * the order in which `readMessage` sets them, so that both have one shape for the code that answers them.
 *
 * @param parentSeq what it continues, where that is not the message before it
 */
export function storedMessage(
  input: NewMessage,
  conversation: Conversation,
  seq: number,
  parentSeq: number | null = null,
): Message {
  const message = new Message()
  message.conversation = conversation
  message.seq = seq
  message.role = input.role
  message.name = input.name
  message.content = input.content
  message.parts = input.parts
  message.partsFormat = input.partsFormat
  message.toolCalls = input.toolCalls
  message.toolName = input.toolName
  message.toolCallId = input.toolCallId
  message.toolError = input.toolError
  message.model = input.model
  message.finishReason = input.finishReason
  message.usage = input.usage
  message.error = null
  message.metadata = input.metadata
  message.clientId = input.clientId
  message.status = input.status
  message.size = input.size
  message.sentAt = input.sentAt
  message.createdAt = conversation.updatedAt
  message.updatedAt = conversation.updatedAt
  message.editedAt = null
  message.deletedAt = null
  message.revision = null
  message.stopRequestedAt = null
  message.parentSeq = parentSeq
  message.nextChunk = input.status === MessageStatus.STREAMING ? 0 : null
  return message
}
