import { setImmediate as pause } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { readLexemes } from '../../words/lexemes.ts'
import { searchedText } from '../../words/searched-text.ts'
import { commit, inTransaction, unmoved } from '../conversation/commit.ts'
import { conversationColumns, conversationWidth, readConversation } from '../conversation/conversation-row.ts'
import { messageColumns, readMessage } from '../message/message-row.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** `more`: the conversation has more to read. `held`: another server is at it. */
export type Filled = 'whole' | 'more' | 'held'

/** How far the words of a conversation are filled. */
interface Seen {
  readonly epoch: number
  readonly seq: number
  readonly revision: number
}

/** What one transaction reads: so many messages, and about so many bytes of them. */
const batch = { messages: 200, bytes: 1_048_576 }

/**
 * Brings the words of a conversation's messages a step closer to its present state, in one transaction. The row in which
 * it stands how far they are is locked meanwhile, so no two servers do the same.
 */
export function fillWords(store: Store, key: string): Promise<Filled> {
  return commit(
    store,
    inTransaction(async (client) => {
      // What a crash loses is filled again.
      await client.query('set local synchronous_commit = off')
      const seen = await claim(client, key)
      return unmoved(seen === null ? 'held' : await fillStep(client, key, seen))
    }),
  )
}

async function claim(client: PoolClient, key: string): Promise<Seen | null> {
  const [row] = await queryKey(client, lock, key, [])
  if (row !== undefined) return { epoch: Number(row[0]), seq: row[1] as number, revision: Number(row[2]) }
  const inserted = await queryKey(client, begin, key, [])
  return inserted.length === 0 ? null : { epoch: 0, seq: 0, revision: 0 }
}

const lock: Statement<'key'> = {
  name: 'words-lock',
  kind: 'key',
  text: `
    select w.epoch, w.seq, w.revision from conversation_words w
    where w.conversation_key = $1 for update skip locked`,
}

const begin: Statement<'key'> = {
  name: 'words-begin',
  kind: 'key',
  text: `
    insert into conversation_words (conversation_key, epoch, seq, revision) values ($1, 0, 0, 0)
    on conflict (conversation_key) do nothing returning 1`,
}

async function fillStep(client: PoolClient, key: string, seen: Seen): Promise<Filled> {
  const rows = await queryKey(client, selectUnseen, key, [
    seen.epoch,
    seen.seq,
    seen.revision,
    batch.messages,
    batch.bytes,
  ])
  const [first] = rows
  const conversation = first === undefined ? null : readConversation(first, headWidth)
  if (first === undefined || conversation === null || conversation.deletedAt !== null) {
    // Its words go with its messages.
    await queryKey(client, forget, key, [])
    return 'whole'
  }
  if (!conversation.searchable) return removeWords(client, key, conversation)
  const at = headWidth + conversationWidth
  const messages = rows.filter((row) => row[at] !== null).map((row) => readMessage(row, at, conversation))
  await store(client, conversation, messages)
  const known = seen.epoch === conversation.epoch ? seen : { seq: 0, revision: 0 }
  const next = nextSeen(known, conversation, messages, Number(first[0]))
  await queryKey(client, advance, key, [conversation.epoch, next.seq, next.revision])
  return next.seq < conversation.lastSeq || next.revision < conversation.revision ? 'more' : 'whole'
}

/**
 * Writers take revisions and seqs under the conversation's lock. So once all changed messages are read, every message up
 * to the last one was seen at the revision that the conversation had then.
 */
function nextSeen(
  known: Pick<Seen, 'seq' | 'revision'>,
  { revision }: Conversation,
  messages: readonly Message[],
  changedCount: number,
): Pick<Seen, 'seq' | 'revision'> {
  const changed = messages.filter(({ seq }) => seq <= known.seq)
  const isChangedWhole = changed.length === changedCount && changedCount < batch.messages
  if (!isChangedWhole) return { seq: known.seq, revision: changed.at(-1)?.revision ?? known.revision }
  return { seq: Math.max(known.seq, messages.at(-1)?.seq ?? 0), revision }
}

/** How many columns stand before those of the conversation. */
const headWidth = 1

/** The changed messages by revision, then those after them by seq: all of one moment. */
const selectUnseen: Statement<'key'> = {
  name: 'words-unseen',
  kind: 'key',
  text: `
    with c as materialized (
      select c.*, case when c.epoch = $2 then $3::int else 0 end as known,
        case when c.epoch = $2 then $4::bigint else 0 end as known_revision
      from conversation c where c.key = $1
    ),
    changed as (
      select m.*, row_number() over (order by m.revision) as place from c cross join lateral (
        select * from message m
        where m.conversation_key = $1 and m.revision > c.known_revision and m.seq <= c.known
        order by m.revision limit $5
      ) m
    ),
    unseen as (
      select m.*, m.seq + (select count(*) from changed) as place from c
      join message m on m.conversation_key = $1 and m.seq > c.known and m.seq <= c.known::bigint + $5
    ),
    found as (
      select m.*, sum(m.size) over (order by m.place) as bytes
      from (select * from changed union all select * from unseen) m
    )
    select (select count(*) from changed), ${conversationColumns('c')}, ${messageColumns('m', 'all', null)}
    from c left join found m on m.bytes - m.size <= $6
    order by m.place`,
}

async function store(client: PoolClient, { key, userId }: Conversation, messages: readonly Message[]): Promise<void> {
  const isFound = ({ deletedAt, status }: Message) => deletedAt === null && status !== 'STREAMING'
  const hidden = messages.filter((message) => !isFound(message)).map(({ seq }) => seq)
  if (hidden.length > 0) await queryKey(client, remove, key, [hidden])
  const found = messages.filter(isFound)
  if (found.length === 0) return
  const lexemes = []
  for (const message of found) lexemes.push(await readLexemes(userId, searchedText(message), pause))
  await queryKey(client, upsert, key, [
    found.map(({ seq }) => seq),
    found.map(({ revision }) => revision ?? 0),
    lexemes.map(({ length }) => length),
    lexemes.map(({ words }) => words),
  ])
}

const remove: Statement<'key'> = {
  name: 'words-remove',
  kind: 'key',
  text: 'delete from message_words w where w.conversation_key = $1 and w.seq = any($2::int[])',
}

/** A message that was changed or erased meanwhile is left out: it has a later revision, or no conversation any more. */
const upsert: Statement<'key'> = {
  name: 'words-upsert',
  kind: 'key',
  text: `
    insert into message_words (conversation_key, seq, revision, parent_seq, role, created_at, length, words)
    select m.conversation_key, m.seq, asked.revision, coalesce(m.parent_seq, m.seq - 1), m.role, m.created_at,
      asked.length, asked.words::tsvector
    from unnest($2::int[], $3::bigint[], $4::int[], $5::text[]) as asked(seq, revision, length, words)
    join message m on m.conversation_key = $1 and m.seq = asked.seq and coalesce(m.revision, 0) = asked.revision
    on conflict (conversation_key, seq) do update set
      revision = excluded.revision, length = excluded.length, words = excluded.words`,
}

const advance: Statement<'key'> = {
  name: 'words-advance',
  kind: 'key',
  text: 'update conversation_words w set epoch = $2, seq = $3, revision = $4 where w.conversation_key = $1',
}

async function removeWords(client: PoolClient, key: string, { epoch }: Conversation): Promise<Filled> {
  const removed = await queryKey(client, removeSome, key, [batch.messages])
  await queryKey(client, advance, key, [epoch, 0, 0])
  return removed.length < batch.messages ? 'whole' : 'more'
}

const removeSome: Statement<'key'> = {
  name: 'words-remove-some',
  kind: 'key',
  text: `
    delete from message_words w where w.conversation_key = $1 and w.seq in (
      select w.seq from message_words w where w.conversation_key = $1 limit $2
    )
    returning 1`,
}

const forget: Statement<'key'> = {
  name: 'words-forget',
  kind: 'key',
  text: 'delete from conversation_words w where w.conversation_key = $1',
}
