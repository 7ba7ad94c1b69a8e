import type { ClientBase } from 'pg'

/** The tables whose rows an export has, each below those that it refers to. */
export const dataTables = [
  'conversation',
  'participant',
  'read_marker',
  'waiting',
  'message',
  'message_stream',
  'message_chunk',
  'message_reaction',
  'message_link',
  'message_feedback',
  'message_approval',
] as const

export type DataTable = (typeof dataTables)[number]

/** The other tables, and why an export does not have them. */
export const notData: Readonly<Record<string, string>> = {
  conversation_words: 'made of the messages: a server fills it again',
  message_token_count: 'a cache: a message is counted again when a window needs its count',
  message_words: 'made of the messages: a server fills it again',
  person: 'said by tokens: the next one of each user says it again',
  migration: 'written by the migrations of the database that an export is imported into',
  transfer: 'what was imported into this database, and not what is in it',
}

export interface Column {
  readonly name: string
  /** As PostgreSQL names it: `timestamp with time zone`. */
  readonly type: string
  /** The SQL expression that stands for a value that an older export does not have; null: NULL does. */
  readonly fallback: string | null
}

/** The columns of each table, in their order. */
export type Tables = Readonly<Record<DataTable, readonly Column[]>>

/**
 * Reads the columns from the catalog, so that none can be forgotten, and so that the database of an earlier version can
 * be exported. Generated columns are left out: PostgreSQL computes them.
 */
export async function readTables(client: ClientBase): Promise<Tables> {
  const { rows } = await client.query<Column & { table: DataTable }>(
    `select t.relname as "table", a.attname as name, format_type(a.atttypid, null) as type,
       case when a.attnotnull then pg_get_expr(d.adbin, d.adrelid) end as fallback
     from pg_class t
     join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
     where t.relnamespace = current_schema()::regnamespace and t.relkind in ('r', 'p') and t.relname = any($1)
     order by a.attnum`,
    [dataTables],
  )
  const of = (table: DataTable) => rows.filter((row) => row.table === table)
  return {
    conversation: of('conversation'),
    participant: of('participant'),
    read_marker: of('read_marker'),
    waiting: of('waiting'),
    message: of('message'),
    message_stream: of('message_stream'),
    message_chunk: of('message_chunk'),
    message_reaction: of('message_reaction'),
    message_link: of('message_link'),
    message_feedback: of('message_feedback'),
    message_approval: of('message_approval'),
  }
}
