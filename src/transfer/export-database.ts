import { type Client, escapeLiteral } from 'pg'
import { StartupError } from '../errors.ts'
import { connect } from './connect.ts'
import { copyOut } from './copy-out.ts'
import { type Counts, formatVersion, type Header, Sealer, unclosed } from './lines.ts'
import { type Column, type DataTable, readTables, type Tables } from './tables.ts'
import { writeFile } from './write-file.ts'

export interface ExportOptions {
  /** Whose conversations; null: everybody's. */
  readonly userId: string | null
  /** Is told now and then how much was written so far, and of how much. */
  readonly onProgress?: (done: Counts, all: Counts) => void
}

/** How many keys are fetched at once, and of how many messages the conversations of one COPY are, unless it is one. */
const keysAtOnce = 1_000
const messagesAtOnce = 20_000

/**
 * Exports a database while servers use it. The file is there whole, and on the disk, or not at all.
 *
 * @param url of PostgreSQL itself
 * @throws StartupError; the error of the system
 */
export async function exportToFile(url: string, path: string, options: ExportOptions): Promise<void> {
  await using client = await connect(url)
  await writeFile(path, exportDatabase(client, options))
}

/**
 * The bytes of an export. All of it is one snapshot of the database: what was committed before the call, and nothing of
 * what is written while it runs. On Citus each machine has a snapshot of its own for each statement, so there only every
 * conversation by itself is of one moment.
 *
 * Memory holds a few hundred rows, whatever the database holds: the file holds up PostgreSQL.
 *
 * @param client to be closed when the reader stops before the end
 * @throws StartupError
 */
export async function* exportDatabase(
  client: Client,
  { userId, onProgress = () => {} }: ExportOptions,
): AsyncGenerator<Buffer, void, undefined> {
  await client.query('begin isolation level repeatable read read only')
  const tables = await readTables(client)
  const sealer = new Sealer()
  yield sealer.seal([Buffer.from(unclosed({ colloquy: await readHeader(client, tables, userId) }))])
  const of = userId === null ? '' : `where user_id = ${escapeLiteral(userId)}`
  const all = await readCounts(client, of)
  for await (const keys of readKeys(client, of)) {
    for await (const lines of copyOut(client, selectLines(tables, keys))) yield sealer.seal(lines)
    onProgress(sealer, all)
  }
  yield sealer.end()
  await client.query('commit')
}

async function readHeader(client: Client, tables: Tables, userId: string | null): Promise<Header> {
  if (tables.conversation.length === 0 || tables.message_chunk.length === 0)
    throw new StartupError('The database has no conversations: its tables were never made; start a server on it first')
  const { rows } = await client.query<{ migration: string; at: string }>(
    'select name as migration, to_json(now()) as at from migration order by id desc limit 1',
  )
  const { migration = '', at = '' } = rows[0] ?? {}
  const names = Object.entries(tables).map(([table, columns]) => [table, columns.map(({ name }) => name)])
  return { version: formatVersion, exportedAt: at, migration, userId, tables: Object.fromEntries(names) }
}

/** How much there is. Of a deleted conversation, messages are counted that may be erased already. */
async function readCounts(client: Client, of: string): Promise<Counts> {
  const { rows } = await client.query<Counts>(
    `select count(*)::float8 as conversations, coalesce(sum(last_seq), 0)::float8 as messages from conversation ${of}`,
  )
  return rows[0] ?? { conversations: 0, messages: 0 }
}

/**
 * The keys of the conversations, in parts for one COPY each. A cursor: to ask for the next keys of one user would sort
 * all of them each time.
 */
async function* readKeys(client: Client, of: string): AsyncGenerator<string[], void, undefined> {
  await client.query(`declare keys no scroll cursor for select key, last_seq from conversation ${of} order by key`)
  for (;;) {
    const { rows } = await client.query<{ key: string; last_seq: number }>(`fetch ${keysAtOnce} from keys`)
    let keys: string[] = []
    let messages = 0
    for (const { key, last_seq: count } of rows) {
      keys.push(key)
      messages += count
      if (messages < messagesAtOnce) continue
      yield keys
      keys = []
      messages = 0
    }
    if (keys.length > 0) yield keys
    if (rows.length < keysAtOnce) return
  }
}

/**
 * The lines of some conversations, without their last brace: each conversation, and then its messages. One statement, so
 * that each conversation is of one moment also on Citus.
 */
export function selectLines(tables: Tables, keys: readonly string[]): string {
  const some = `any('{${keys.join(',')}}'::uuid[])`
  const row = (alias: string, table: DataTable) =>
    rowOf(
      alias,
      tables[table].filter(({ name }) => name !== 'conversation_key'),
    )
  /** What stands beside a message, as members of its line. */
  const one = (member: string, table: DataTable) => `(
          select concat('"${member}":', ${row('r', table)}, ',') from ${table} r
          where r.conversation_key = m.conversation_key and r.seq = m.seq
        )`
  const many = (member: string, table: DataTable, order: string) => `(
          select '"${member}":[' || string_agg(${row('r', table)}, ',' order by ${order}) || '],' from ${table} r
          where r.conversation_key = m.conversation_key and r.seq = m.seq
        )`
  return `
    select line from (
      select c.key, 0 as seq, concat('{"conversation":', ${rowOf('c', tables.conversation)}, (
          select ',"participants":[' || string_agg(${row('p', 'participant')}, ',' order by p.user_id) || ']'
          from participant p where p.conversation_key = c.key
        ), (
          select ',"readMarkers":[' || string_agg(${row('k', 'read_marker')}, ',' order by k.user_id) || ']'
          from read_marker k where k.conversation_key = c.key
        ), (
          select ',"waiting":[' || string_agg(${row('w', 'waiting')}, ',') || ']'
          from waiting w where w.conversation_key = c.key
        )) as line
      from conversation c where c.key = ${some}
      union all
      select m.conversation_key, m.seq, concat('{',
        ${one('stream', 'message_stream')},
        ${many('chunks', 'message_chunk', 'r.chunk')},
        ${one('link', 'message_link')},
        ${many('reactions', 'message_reaction', 'r.emoji, r.user_id')},
        ${many('feedback', 'message_feedback', 'r.user_id')},
        ${many('approvals', 'message_approval', 'r.call_id')},
        '"message":', ${row('m', 'message')}) as line
      from message m where m.conversation_key = ${some}
    ) lines
    order by key, seq`
}

/** A row as a JSON object, without the columns that are NULL. The first column never is. */
function rowOf(table: string, columns: readonly Column[]): string {
  const members = columns.map((column, n) => `'${n === 0 ? '{' : ','}"${column.name}":' || ${jsonOf(table, column)}`)
  return `concat(${members.join(', ')}, '}')`
}

/** A value as JSON, whatever the settings of the session are, or of the machine that answers. */
function jsonOf(table: string, { name, type }: Column): string {
  const column = `${table}.${name}`
  if (type === 'bytea') return `'"\\\\x' || encode(${column}, 'hex') || '"'`
  return `to_json(${column})::text`
}
