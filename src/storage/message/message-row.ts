import type { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message.ts'
import type { MessageRole, MessageStatus, PartsFormat } from '../../entities/message-enums.ts'
import { toTimestamp } from '../../entities/timestamp.ts'
import { readJson, readTimestamp } from '../postgres/column.ts'
import type { Row } from '../postgres/store.ts'

/** Which columns of a message are read. Few sets are few prepared statements, and let many callers share one. */
export type MessageColumns = 'brief' | 'all'

/** What nearly every reader asks for. The others make a row three times as wide, mostly of nulls. */
const briefColumns = ['seq', 'role', 'name', 'content', 'client_id', 'status', 'created_at']

const otherColumns = [
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
  'size',
  'sent_at',
  'updated_at',
  'edited_at',
  'deleted_at',
  'revision',
  'stop_requested_at',
  'parent_seq',
]

/** All that a message's own row answers. */
export const storedColumns: readonly string[] = [...briefColumns, ...otherColumns]

/**
 * The select list that `readMessage` understands. What a streaming message says so far stands in its chunks, and is put
 * together here, in the snapshot of the statement: its content and the number of its next chunk belong together.
 */
export function messageColumns(table: string, columns: MessageColumns = 'all'): string {
  const streaming = (expression: string, otherwise: string) =>
    `case when ${table}.status = 'STREAMING' then (${expression}) else ${otherwise} end`
  const of = (other: string) => `${other}.conversation_key = ${table}.conversation_key and ${other}.seq = ${table}.seq`
  const content = streaming(
    `select string_agg(k.text, '' order by k.chunk) from message_chunk k where ${of('k')}`,
    `${table}.content`,
  )
  const nextChunk = streaming(`select s.next_chunk from message_stream s where ${of('s')}`, 'null')
  const brief = briefColumns.map((column) => (column === 'content' ? `${content} as content` : `${table}.${column}`))
  if (columns === 'brief') return brief.join(', ')
  return [...brief, ...otherColumns.map((column) => `${table}.${column}`), `${nextChunk} as next_chunk`].join(', ')
}

/** The names that `messageColumns` gives, for a statement around it. */
export function messageColumnNames(columns: MessageColumns): string {
  return [...briefColumns, ...(columns === 'brief' ? [] : [...otherColumns, 'next_chunk'])].join(', ')
}

/** The message whose columns begin at `at`, as one of `conversation`. */
export function readMessage(
  row: Row,
  at: number,
  conversation: Conversation,
  columns: MessageColumns = 'all',
): Message {
  const message = columns === 'brief' ? new BriefMessage() : new Message()
  message.conversation = conversation
  message.seq = row[at] as number
  message.role = row[at + 1] as MessageRole
  message.name = row[at + 2] as string | null
  message.content = row[at + 3] as string | null
  message.clientId = row[at + 4] as string | null
  message.status = row[at + 5] as MessageStatus
  message.createdAt = toTimestamp(row[at + 6] as string)
  if (columns === 'all') readOthers(message, row, at + briefColumns.length)
  return message
}

function readOthers(message: Message, row: Row, at: number): void {
  message.parts = readJson(row[at])
  message.partsFormat = row[at + 1] as PartsFormat | null
  message.toolCalls = readJson(row[at + 2]) ?? []
  message.toolName = row[at + 3] as string | null
  message.toolCallId = row[at + 4] as string | null
  message.toolError = row[at + 5] as boolean | null
  message.model = row[at + 6] as string | null
  message.finishReason = row[at + 7] as string | null
  message.usage = readJson(row[at + 8])
  message.error = readJson(row[at + 9])
  message.metadata = readJson(row[at + 10]) ?? {}
  message.size = row[at + 11] as number
  message.sentAt = readTimestamp(row[at + 12])
  message.updatedAt = toTimestamp(row[at + 13] as string)
  message.editedAt = readTimestamp(row[at + 14])
  message.deletedAt = readTimestamp(row[at + 15])
  message.revision = row[at + 16] === null ? null : Number(row[at + 16])
  message.stopRequestedAt = readTimestamp(row[at + 17])
  message.parentSeq = row[at + 18] as number | null
  message.nextChunk = row[at + 19] as number | null
}

/** A message of brief columns: to ask it for another is a mistake, and finds no null that could be taken for the answer. */
class BriefMessage extends Message {}

for (const column of [...otherColumns, 'next_chunk']) {
  const property = column.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  Object.defineProperty(BriefMessage.prototype, property, {
    get() {
      throw new Error(`${column} was not read.`)
    },
  })
}
