import { setImmediate as pause } from 'node:timers/promises'
import type { Client } from 'pg'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import { type Lexemes, readLexemes } from '../../src/words/lexemes.ts'
import type { Bench, Case } from '../case.ts'
import { ours } from '../contenders.ts'
import { connect } from '../database.ts'
import { median, show } from '../numbers.ts'
import { Program } from '../program.ts'

const goal = 50
/** Each user may read so many messages, in a hundred conversations. */
const messagesOfUser = 10_000
const conversationsOfUser = 100
const words = 20
const questions = 500

/**
 * Questions over everything that a user may read, one after the other. Words are drawn as they are in speech: the n-th
 * most frequent one with a chance of 1/n.
 */
export const search: Case = {
  name: 'search',
  title: 'A search of ten words over all 10,000 messages of a user',
  async run(bench) {
    const rows: string[][] = []
    const worst: number[] = []
    for (const users of bench.options.full ? [100, 1_000] : [100]) {
      const url = await bench.database.copy('bench_search', { conversations: 0, long: 0 })
      const bytes = await fill(url, users)
      await using server = await Program.start(withoutIdentity(url))
      await ask(server, users, 50)
      for (let round = 0; round < bench.options.rounds; round++) {
        const { times, cpu, databaseCpu } = await measure(bench, server, users)
        const p95 = at(times, 0.95)
        worst.push(p95)
        rows.push([
          (users * messagesOfUser).toLocaleString('en-US'),
          show(median(times)),
          show(p95),
          show(cpu / 1_000),
          show(databaseCpu / 1_000),
          show(bytes / (users * messagesOfUser)),
        ])
      }
    }
    return {
      method: `${questions} questions in each of ${bench.options.rounds} rounds, over HTTP; ten results with snippets. Messages have ${words} words.`,
      columns: [
        'messages',
        'ms, median',
        'ms, p95',
        'ms of the CPU: server',
        'PostgreSQL',
        'bytes of words for each message',
      ],
      rows,
      goals: [{ goal: `p95 < ${goal} ms`, reached: show(median(worst)), isReached: median(worst) < goal }],
      notes: ['A user is asked for the first time in a round that others asked before: pages are in memory.'],
    }
  },
}

function withoutIdentity(databaseUrl: string) {
  const { env, ...command } = ours.command(databaseUrl)
  const { AUTH_SERVICE_KEYS: _keys, ...rest } = env
  return { ...command, env: rest }
}

/** Bytes of the words with their indexes. */
async function fill(url: string, users: number): Promise<number> {
  await using client = await connect(url)
  await client.query('set synchronous_commit = off')
  for (let user = 0; user < users; user++) await fillUser(client, `user-${user}`)
  await client.query('vacuum analyze')
  const { rows } = await client.query(`select pg_total_relation_size('message_words')::float8 as bytes`)
  return rows[0].bytes
}

async function fillUser(client: Client, user: string): Promise<void> {
  const each = messagesOfUser / conversationsOfUser
  for (let conversation = 0; conversation < conversationsOfUser; conversation++) {
    const key = conversationKey(user, String(conversation))
    await client.query(
      `insert into conversation
         (key, epoch, user_id, id, last_seq, revision, changed_revision, created_at, updated_at)
       values ($1, 1, $2, $3, $4::int, $4::int, 1, now(), now())`,
      [key, user, String(conversation), each],
    )
    const texts = Array.from({ length: each }, () => sentence(words))
    const lexemes: Lexemes[] = []
    for (const text of texts) lexemes.push(await readLexemes(user, text, pause))
    await client.query(
      `insert into message (conversation_key, seq, role, content, size, created_at, updated_at)
       select $1, n, 'USER', t, octet_length(t), now(), now() from unnest($2::text[]) with ordinality m(t, n)`,
      [key, texts],
    )
    await client.query(
      `insert into message_words (conversation_key, seq, revision, parent_seq, role, created_at, length, words)
       select $1, n, 0, n - 1, 'USER', now(), $3, w::tsvector from unnest($2::text[]) with ordinality m(w, n)`,
      [key, lexemes.map(({ words: list }) => list), words],
    )
    await client.query('insert into conversation_words values ($1, 1, $2::int, $2::int)', [key, each])
  }
}

/** The same in every run. */
let state = 1
function draw(): number {
  state = (state * 48_271) % 2_147_483_647
  return state / 2_147_483_647
}

function sentence(count: number): string {
  return Array.from({ length: count }, () => `w${Math.floor(20_000 ** draw()).toString(36)}`).join(' ')
}

async function measure({ database }: Bench, server: Program, users: number) {
  const [began, databaseBegan] = [server.cpu, database.cpu]
  const times = await ask(server, users, questions)
  return {
    times,
    cpu: (server.cpu - began) / questions,
    databaseCpu: (database.cpu - databaseBegan) / questions,
  }
}

const document = `query ($query: String!) {
  searchMessages(query: $query) { edges { score snippet { text } node { id seq } } }
}`

async function ask(server: Program, users: number, count: number): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    const began = performance.now()
    const response = await fetch(`http://127.0.0.1:${server.port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user-id': `user-${Math.floor(draw() * users)}` },
      body: JSON.stringify({ query: document, variables: { query: sentence(10) } }),
    })
    const { errors } = (await response.json()) as { readonly errors?: unknown }
    if (errors !== undefined) throw new Error(JSON.stringify(errors))
    times.push(performance.now() - began)
  }
  return times
}

function at(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
}
