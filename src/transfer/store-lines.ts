import type { Client } from 'pg'
import { queryKey, type Statement } from '../storage/postgres/statement.ts'
import type { Column, DataTable, Tables } from './tables.ts'

/** What stores the lines of an export. PostgreSQL itself reads the rows, so that no value goes through JavaScript. */
export interface LineStore {
  /** Stores a conversation with an epoch, and what stands beside it, unless its key is there. */
  storeConversation(key: string, line: Buffer, epoch: number): Promise<boolean>
  /** Stores messages of a conversation that is there. @param hasMore whether some lines have more than a message */
  storeMessages(key: string, lines: readonly Buffer[], hasMore: boolean): Promise<void>
  /** The epoch of the conversation that has the key. */
  readEpoch(key: string): Promise<number | null>
}

/** @param tables those of the database. What a line of an earlier version does not have gets its fallback. */
export function lineStore(client: Client, tables: Tables): LineStore {
  const conversation = insert(
    'conversation',
    tables.conversation,
    `json_populate_record(null::conversation, $2::json -> 'conversation') r`,
    { key: '$1::uuid', epoch: '$3::bigint' },
    'on conflict (key) do nothing returning 1',
  )
  const ofConversation = (table: 'participant' | 'read_marker' | 'waiting', member: string) => {
    const rows = `json_populate_recordset(null::${table}, $2::json -> '${member}') r`
    return insert(table, tables[table], rows, { conversation_key: '$1::uuid', epoch: '$3::bigint' })
  }
  const participants = ofConversation('participant', 'participants')
  const markers = ofConversation('read_marker', 'readMarkers')
  const waiting = ofConversation('waiting', 'waiting')
  const each = 'json_array_elements($2::json) line(value)'
  const key = { conversation_key: '$1::uuid' }
  const messages = insert(
    'message',
    tables.message,
    `${each}, json_populate_record(null::message, line.value -> 'message') r`,
    key,
  )
  const one = (table: DataTable, member: string) =>
    insert(
      table,
      tables[table],
      `${each}, json_populate_record(null::${table}, line.value -> '${member}') r where r.seq is not null`,
      key,
    )
  const many = (table: DataTable, member: string) =>
    insert(table, tables[table], `${each}, json_populate_recordset(null::${table}, line.value -> '${member}') r`, key)
  const beside = [
    one('message_stream', 'stream'),
    many('message_chunk', 'chunks'),
    one('message_link', 'link'),
    many('message_reaction', 'reactions'),
    many('message_feedback', 'feedback'),
    many('message_approval', 'approvals'),
  ]
  return {
    async storeConversation(key, line, epoch) {
      const isNew = (await queryKey(client, conversation, key, [line, epoch])).length > 0
      if (isNew && line.includes(',"participants":[')) await queryKey(client, participants, key, [line, epoch])
      if (isNew && line.includes(',"readMarkers":[')) await queryKey(client, markers, key, [line, epoch])
      if (isNew && line.includes(',"waiting":[')) await queryKey(client, waiting, key, [line, epoch])
      return isNew
    },
    async storeMessages(key, lines, hasMore) {
      const list = [listOf(lines)]
      await queryKey(client, messages, key, list)
      if (hasMore) for (const statement of beside) await queryKey(client, statement, key, list)
    },
    async readEpoch(key) {
      const [row] = await queryKey(client, selectEpoch, key, [])
      return row === undefined ? null : Number(row[0])
    },
  }
}

const selectEpoch: Statement<'key'> = {
  name: 'transfer-epoch',
  kind: 'key',
  text: 'select c.epoch from conversation c where c.key = $1',
}

/** @param given the SQL of columns that the rows do not say */
function insert(
  table: string,
  columns: readonly Column[],
  rows: string,
  given: Readonly<Record<string, string>>,
  end = '',
): Statement<'key'> {
  const values = columns.map(({ name, fallback }) => {
    return given[name] ?? (fallback === null ? `r.${name}` : `coalesce(r.${name}, ${fallback})`)
  })
  const names = columns.map(({ name }) => name).join(', ')
  const text = `insert into ${table} (${names}) select ${values.join(', ')} from ${rows} ${end}`
  return { name: `transfer-${table}`, kind: 'key', text }
}

/** Lines as one JSON array. */
function listOf(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line, n) => [n === 0 ? open : comma, line]).concat(close))
}

const open = Buffer.from('[')
const comma = Buffer.from(',')
const close = Buffer.from(']')
