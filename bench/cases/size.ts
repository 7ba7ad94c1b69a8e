import type { Bench, Case } from '../case.ts'
import { drive } from '../compare.ts'
import { ours } from '../contenders.ts'
import { standardData } from '../data.ts'
import { connect } from '../database.ts'
import { show } from '../numbers.ts'
import { Program } from '../program.ts'

/** Bytes of content of the messages that docs/scale.md reckons with. */
const content = 200

/** What docs/scale.md takes its figures from. */
export const size: Case = {
  name: 'size',
  title: 'Size: what a message and an append take',
  async run(bench) {
    const url = await bench.database.copy('bench', standardData)
    const rows: string[][] = []
    for (const withClientId of [true, false]) rows.push(...(await weighMessages(url, withClientId)))
    rows.push(...(await weighConversations(url)))
    for (const connections of [128, 1]) rows.push(...(await appendWith(bench, url, connections)))
    return {
      method: `Messages of ${content} bytes in 2,000 conversations of 100, in the order of appends one by one to random conversations; client ids are UUIDs. Then appends to random conversations of the standard data. Fsyncs and WAL are those of all of PostgreSQL; the data was copied just before, so each page goes whole into the WAL once.`,
      columns: ['', 'measured'],
      rows,
      goals: [],
      notes: [],
    }
  },
}

/** Bytes on disk for each message: of its row, and of each index that has more than a page for each hundred of them. */
async function weighMessages(url: string, withClientId: boolean): Promise<string[][]> {
  await using client = await connect(url)
  await client.query('create table weighed (like message including all)')
  const { rowCount } = await client.query(
    `insert into weighed
       (conversation_key, seq, role, content, client_id, payload_hash, size, created_at, updated_at)
     select conversation_key, seq, role, repeat('.', $1), case when $2 then gen_random_uuid()::text end,
       case when $2 then '\\x01'::bytea || sha256(seq::text::bytea) end, $1, created_at, updated_at
     from message where conversation_key in (select key from conversation order by key limit 2000)
     order by seq, sha256(conversation_key::text::bytea)`,
    [content, withClientId],
  )
  await client.query('vacuum weighed')
  const { rows } = await client.query<{ name: string; bytes: number }>(
    `select coalesce(substr(indexrelid::regclass::text, 9), 'row') as name, bytes from (
       select null::regclass as indexrelid, pg_table_size('weighed')::float8 / $1 as bytes
       union all select indexrelid, pg_relation_size(indexrelid)::float8 / $1 from pg_index where indrelid = 'weighed'::regclass
     ) of_each where bytes > 1`,
    [rowCount],
  )
  await client.query('drop table weighed')
  const label = `message of ${content} bytes, ${withClientId ? 'with a' : 'without'} client id`
  const total = rows.reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    [`${label}: bytes on disk`, show(total)],
    ...rows.map(({ name, bytes }) => [`${label}: ${name}`, show(bytes)]),
  ]
}

async function weighConversations(url: string): Promise<string[][]> {
  await using client = await connect(url)
  const { rows } = await client.query<{ all: number; indexes: number }>(`
    select pg_total_relation_size('conversation')::float8 / count(*) as all,
      pg_indexes_size('conversation')::float8 / count(*) as indexes
    from conversation`)
  const { all = Number.NaN, indexes = Number.NaN } = rows[0] ?? {}
  return [
    ['conversation: bytes on disk', show(all)],
    ['conversation: its indexes', show(indexes)],
  ]
}

async function appendWith(bench: Bench, url: string, connections: number): Promise<string[][]> {
  const before = await written(url)
  const program = await Program.start(ours.command(url))
  const load = {
    question: 'append',
    connections,
    conversations: { first: 0, count: standardData.conversations },
  } as const
  const { throughput, serverCpu, databaseCpu } = await drive(bench, ours, program, url, load, 2)
  // The server's sessions report their last fsyncs when they end.
  await program[Symbol.asyncDispose]()
  const after = await written(url)
  const appended = after.messages - before.messages
  const label = `append, ${connections} connection${connections === 1 ? '' : 's'}`
  return [
    [`${label}: per second`, show(throughput)],
    [`${label}: CPU µs, server + PostgreSQL`, `${show(serverCpu)} + ${show(databaseCpu)}`],
    [`${label}: bytes of WAL`, show((after.wal - before.wal) / appended)],
    [`${label}: fsyncs`, show((after.fsyncs - before.fsyncs) / appended)],
  ]
}

async function written(url: string): Promise<{ messages: number; wal: number; fsyncs: number }> {
  await using client = await connect(url)
  const { rows } = await client.query(`
    select (select sum(last_seq)::float8 from conversation) as messages,
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal,
      (select sum(fsyncs)::float8 from pg_stat_io where object = 'wal') as fsyncs`)
  return rows[0]
}
