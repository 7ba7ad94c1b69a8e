import type { Conversation } from '../entities/conversation.ts'
import { Message } from '../entities/message.ts'
import type { MessageRole, MessageStatus, PartsFormat } from '../entities/message-enums.ts'
import { toTimestamp } from '../entities/timestamp.ts'
import { readJson, readTimestamp } from './column.ts'
import type { Row } from './store.ts'

const columns = [
  'seq',
  'role',
  'name',
  'content',
  'parts',
  'parts_format',
  'tool_calls',
  'tool_name',
  'tool_call_id',
  'tool_error',
  'model',
  'finish_reason',
  'usage',
  'error',
  'metadata',
  'client_id',
  'status',
  'size',
  'sent_at',
  'created_at',
  'updated_at',
  'edited_at',
  'deleted_at',
  'revision',
  'stop_requested_at',
]

/**
 * The select list that `readMessage` understands. What a streaming message says so far stands in its chunks, and is put
 * together here, in the snapshot of the statement: its content and the number of its next chunk belong together.
 */
export function messageColumns(table: string): string {
  const streaming = (expression: string, otherwise: string) =>
    `case when ${table}.status = 'STREAMING' then (${expression}) else ${otherwise} end`
  const of = (other: string) => `${other}.conversation_key = ${table}.conversation_key and ${other}.seq = ${table}.seq`
  const content = streaming(
    `select string_agg(k.text, '' order by k.chunk) from message_chunk k where ${of('k')}`,
    `${table}.content`,
  )
  const nextChunk = streaming(`select s.next_chunk from message_stream s where ${of('s')}`, 'null')
  const selected = columns.map((column) => (column === 'content' ? `${content} as content` : `${table}.${column}`))
  return [...selected, `${nextChunk} as next_chunk`].join(', ')
}

/** The message whose columns begin at `at`, as one of `conversation`. */
export function readMessage(row: Row, at: number, conversation: Conversation): Message {
  const message = new Message()
  message.conversation = conversation
  message.seq = row[at] as number
  message.role = row[at + 1] as MessageRole
  message.name = row[at + 2] as string | null
  message.content = row[at + 3] as string | null
  message.parts = readJson(row[at + 4])
  message.partsFormat = row[at + 5] as PartsFormat | null
  message.toolCalls = readJson(row[at + 6]) ?? []
  message.toolName = row[at + 7] as string | null
  message.toolCallId = row[at + 8] as string | null
  message.toolError = row[at + 9] as boolean | null
  message.model = row[at + 10] as string | null
  message.finishReason = row[at + 11] as string | null
  message.usage = readJson(row[at + 12])
  message.error = readJson(row[at + 13])
  message.metadata = readJson(row[at + 14]) ?? {}
  message.clientId = row[at + 15] as string | null
  message.status = row[at + 16] as MessageStatus
  message.size = row[at + 17] as number
  message.sentAt = readTimestamp(row[at + 18])
  message.createdAt = toTimestamp(row[at + 19] as string)
  message.updatedAt = toTimestamp(row[at + 20] as string)
  message.editedAt = readTimestamp(row[at + 21])
  message.deletedAt = readTimestamp(row[at + 22])
  message.revision = row[at + 23] === null ? null : Number(row[at + 23])
  message.stopRequestedAt = readTimestamp(row[at + 24])
  message.nextChunk = row[at + 25] as number | null
  return message
}
