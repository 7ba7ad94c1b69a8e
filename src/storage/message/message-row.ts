import type { Conversation } from '../../entities/conversation.ts'
import { linkCalls } from '../../entities/message/call-of-message.ts'
import { Message } from '../../entities/message/message.ts'
import { readable } from '../../entities/timestamp.ts'
import { readJson, readTimestamp } from '../postgres/column.ts'
import type { Row } from '../postgres/statement.ts'
import { compileFill } from './compile-fill.ts'
import { briefColumns, type MessageColumn, readColumns, type SqlType } from './message-columns.ts'

/**
 * Which columns of a message are read. There are only two sets, so that there are few prepared statements and many
 * callers can share one.
 */
export type MessageColumns = 'brief' | 'all'

/**
 * The select list that `readMessage` understands. The text of a streaming message is in its chunks. The list joins the
 * chunks in the snapshot of its statement, so that the content and the number of the next chunk belong together. In it,
 * the times are not timestamps any more.
 *
 * @param key the key of the message's conversation in SQL. A statement about one conversation gives its parameter: a
 * database that spreads conversations looks for another key on every machine. null: the statement reads no streaming
 * messages.
 */
export function messageColumns(
  table: string,
  columns: MessageColumns = 'all',
  key: string | null = `${table}.conversation_key`,
): string {
  const streaming = (expression: string, otherwise: string) =>
    key === null ? otherwise : `case when ${table}.status = 'STREAMING' then (${expression}) else ${otherwise} end`
  const of = (other: string) => `${other}.conversation_key = ${key} and ${other}.seq = ${table}.seq`
  const content = streaming(
    `select string_agg(k.text, '' order by k.chunk) from message_chunk k where ${of('k')}`,
    `${table}.content`,
  )
  const nextChunk = streaming(`select s.next_chunk from message_stream s where ${of('s')}`, 'null')
  const list = columnsOf(columns).map(({ name, type }) => {
    if (name === 'content') return `${content} as content`
    return type === 'timestamptz' ? `${readable(`${table}.${name}`)} as ${name}` : `${table}.${name}`
  })
  return [...list, ...(columns === 'all' ? [`${nextChunk} as next_chunk`] : [])].join(', ')
}

/** The column names of `messageColumns`, for a statement around it. */
export function messageColumnNames(columns: MessageColumns): string[] {
  return [...columnsOf(columns).map(({ name }) => name), ...(columns === 'all' ? ['next_chunk'] : [])]
}

/**
 * The columns of `messageColumns`, selected again from the table that it made. Those that may be long are null where
 * `condition` is false.
 */
export function messageColumnsIf(condition: string, table: string, columns: MessageColumns): string {
  const long = new Set(
    columnsOf(columns)
      .filter(isLong)
      .map(({ name }) => name),
  )
  const list = messageColumnNames(columns).map((name) =>
    long.has(name) ? `case when ${condition} then ${table}.${name} end` : `${table}.${name}`,
  )
  return list.join(', ')
}

function isLong({ type, check }: MessageColumn): boolean {
  return type === 'json' || type === 'jsonb' || check === 'text'
}

function columnsOf(columns: MessageColumns): readonly MessageColumn[] {
  return columns === 'brief' ? briefColumns : readColumns
}

/**
 * How many bytes a message's row counts: those that callers gave, those of its chunks while it streams, and 256 for
 * ids, times and the objects around them.
 *
 * @param key as for `messageColumns`
 */
export function rowBytes(table: string, key: string | null = `${table}.conversation_key`): string {
  if (key === null) return `(${table}.size + 256)`
  const chunks = `select s.size from message_stream s where s.conversation_key = ${key} and s.seq = ${table}.seq`
  return `(${table}.size + 256 + case when ${table}.status = 'STREAMING' then coalesce((${chunks}), 0) else 0 end)`
}

/**
 * A message of which only the brief columns were read. To ask it for another column is a mistake: the getter throws, so
 * that nobody takes a null for the value.
 */
class BriefMessage extends Message {}

for (const property of [
  ...readColumns.filter(({ read }) => read !== 'brief').map((column) => column.property),
  'nextChunk',
]) {
  Object.defineProperty(BriefMessage.prototype, property, {
    get() {
      throw new Error(`${property} was not read.`)
    },
  })
}

/** Reads the message whose columns begin at `at`, as a message of `conversation`. */
export function readMessage(
  row: Row,
  at: number,
  conversation: Conversation,
  columns: MessageColumns = 'all',
): Message {
  return read[columns](row, at, conversation)
}

/** How the driver's value becomes the value of a property, by SQL type. A value of any other type is taken as it is. */
const readers: Partial<Record<SqlType, (value: unknown) => unknown>> = {
  json: readJson,
  jsonb: readJson,
  timestamptz: readTimestamp,
  bigint: (value) => (value === null ? null : Number(value)),
}

const read = { brief: compileRead(BriefMessage, 'brief'), all: compileRead(Message, 'all') }

function compileRead(Shape: typeof Message, columns: MessageColumns) {
  const members = columnsOf(columns).map(({ property, type }, index): [string, string] => {
    const value = type in readers ? `${type}(row[at + ${index}])` : `row[at + ${index}]`
    // The row of a message without tool calls has null.
    return [property, property === 'toolCalls' ? `linkCalls(${value} ?? [], message)` : value]
  })
  if (columns === 'all') members.push(['nextChunk', `row[at + ${members.length}]`])
  return compileFill<[row: Row, at: number, conversation: Conversation]>(
    Shape,
    ['row', 'at', 'conversation'],
    members,
    { ...readers, linkCalls },
  )
}
