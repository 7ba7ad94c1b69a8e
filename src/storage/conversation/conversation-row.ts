import { Conversation } from '../../entities/conversation.ts'
import { readable, toTimestamp } from '../../entities/timestamp.ts'
import { readJson, readTimestamp } from '../postgres/column.ts'
import type { Row } from '../postgres/statement.ts'

/** Those that lists show. */
const briefColumns = [
  'key',
  'epoch',
  'user_id',
  'id',
  'title',
  'last_seq',
  'revision',
  'created_at',
  'updated_at',
  'archived_at',
]

const columns = [
  ...briefColumns,
  'metadata',
  'changed_revision',
  'deleted_at',
  'active_leaf',
  'is_branched',
  'imported_at',
  'participants_revision',
  'is_searchable',
  'taken_over_by',
]

/** All of them, in their order. */
export const conversationColumnNames: readonly string[] = columns

/** Which columns of a conversation are read. There are only two sets, so that there are few prepared statements. */
export type ConversationColumns = 'brief' | 'all'

function columnsOf(which: ConversationColumns): readonly string[] {
  return which === 'brief' ? briefColumns : columns
}

const times = new Set(['created_at', 'updated_at', 'archived_at', 'deleted_at', 'imported_at'])

/** How many columns `conversationColumns` lists. */
export const conversationWidth = columns.length
export const briefWidth = briefColumns.length

/**
 * The select list that `readConversation` understands, or `readBriefConversation`. In it, the times are not timestamps
 * any more.
 */
export function conversationColumns(table: string, which: ConversationColumns = 'all'): string {
  return columnsOf(which)
    .map((column) => `${read(table, column)} as ${column}`)
    .join(', ')
}

function read(table: string, column: string): string {
  return times.has(column) ? readable(`${table}.${column}`) : `${table}.${column}`
}

/**
 * The same columns in one column, as a JSON array. It is for rows of which only some carry a conversation.
 *
 * @param more SQL expressions whose values come behind them
 */
export function conversationColumn(table: string, ...more: string[]): string {
  // JSON.parse would read the JSON of the metadata too, and round the times.
  const isText = (column: string) => times.has(column) || column === 'metadata'
  const texts = columns.map((column) => `${read(table, column)}${isText(column) ? '::text' : ''}`)
  return `json_build_array(${[...texts, ...more].join(', ')})`
}

/** How many bytes a conversation's row counts: those of the title and the metadata, which callers gave. */
export function conversationBytes(table: string): string {
  return `(coalesce(octet_length(${table}.title), 0) + octet_length(${table}.metadata::text) - length('{}'))`
}

/** Reads the conversation in a column of `conversationColumn`. @param conversation the object to fill */
export function readConversationColumn<C extends Conversation>(column: unknown, conversation: C): C {
  return readConversation(JSON.parse(column as string), 0, conversation)
}

/** Reads the conversation whose columns begin at `at`. @param conversation the object to fill */
export function readConversation<C extends Conversation = Conversation>(
  row: Row,
  at = 0,
  conversation: C = new Conversation() as C,
): C {
  readBriefConversation(row, at, conversation)
  const rest = at + briefWidth
  conversation.metadata = readJson(row[rest]) ?? {}
  conversation.changedRevision = Number(row[rest + 1])
  conversation.deletedAt = readTimestamp(row[rest + 2])
  conversation.activeLeaf = row[rest + 3] as number | null
  conversation.isBranched = row[rest + 4] as boolean
  conversation.importedAt = readTimestamp(row[rest + 5])
  conversation.participantsRevision = row[rest + 6] === null ? null : Number(row[rest + 6])
  conversation.searchable = row[rest + 7] as boolean
  conversation.takenOverBy = row[rest + 8] as string | null
  return conversation
}

/** Reads the brief columns that begin at `at`. The other properties are left as they are. */
export function readBriefConversation(row: Row, at: number, conversation: Conversation): void {
  conversation.key = row[at] as string
  conversation.epoch = Number(row[at + 1])
  conversation.userId = row[at + 2] as string
  conversation.id = row[at + 3] as string
  conversation.title = row[at + 4] as string | null
  conversation.lastSeq = row[at + 5] as number
  conversation.revision = Number(row[at + 6])
  conversation.createdAt = toTimestamp(row[at + 7] as string)
  conversation.updatedAt = toTimestamp(row[at + 8] as string)
  conversation.archivedAt = readTimestamp(row[at + 9])
}

/**
 * The time of a conversation's change: the present, but always later than the time of the change before. The present is
 * the moment when the transaction began. A database that spreads its tables takes only such a time in a change, and
 * takes arithmetic on columns only if it does not depend on the session's time zone.
 *
 * @param present in an upsert, the time of the row that was not inserted: there nothing may be asked but columns
 */
export function nextUpdate(updatedAt: string, present = 'now()'): string {
  return `greatest(${present}, ((${updatedAt} at time zone 'UTC') + interval '1 microsecond') at time zone 'UTC')`
}

/** The same for a change that does not set `updated_at` to the present; it goes into `imported_at`. */
export function nextImport(table: string): string {
  return nextUpdate(`greatest(${table}.updated_at, ${table}.imported_at)`)
}
