import { setImmediate as pause } from 'node:timers/promises'
import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { readLexemes } from '../../words/lexemes.ts'
import { searchedText } from '../../words/searched-text.ts'
import { conversationColumns, conversationWidth, readConversation } from '../conversation/conversation-row.ts'
import { messageColumns, readMessage } from '../message/message-row.ts'
import { query, queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** `more`: the conversation has more to read. `held`: another server is at it. */
export type Filled = 'whole' | 'more' | 'held'

/** How far the words of a conversation are filled. */
interface Seen {
  readonly epoch: number
  readonly seq: number
  readonly revision: number
}

/** What one step reads: so many messages, and about so many bytes of them. */
const batch = { messages: 200, bytes: 1_048_576 }

/**
 * Brings the words of a conversation's messages a step closer to its present state: one statement reads, and one stores.
 * The second one stores nothing if the row in which it stands how far they are is not as it was read, so what two
 * servers do at once counts once.
 */
export async function fillWords(store: Store, key: string): Promise<Filled> {
  const { pool } = store
  const rows = await queryKey(pool, selectUnseen, key, [batch.messages, batch.bytes])
  const [first] = rows
  const conversation = first === undefined ? null : readConversation(first, headWidth)
  if (first === undefined || conversation === null || conversation.deletedAt !== null) {
    // Its words go with its messages.
    await queryKey(pool, forget, key, [])
    return 'whole'
  }
  const seen = first[1] === null ? null : toSeen(first[1], first[2], first[3])
  if (!conversation.searchable) return removeWords(store, conversation, seen)
  const at = headWidth + conversationWidth
  const messages = rows.filter((row) => row[at] !== null).map((row) => readMessage(row, at, conversation))
  const known = seen?.epoch === conversation.epoch ? seen : { seq: 0, revision: 0 }
  const next = { epoch: conversation.epoch, ...nextSeen(known, conversation, messages, Number(first[0])) }
  if (!(await storeWords(store, conversation, messages, seen, next))) return 'held'
  return next.seq < conversation.lastSeq || next.revision < conversation.revision ? 'more' : 'whole'
}

function toSeen(epoch: unknown, seq: unknown, revision: unknown): Seen {
  return { epoch: Number(epoch), seq: seq as number, revision: Number(revision) }
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
const headWidth = 4

/** How far they are filled, the changed messages by revision, then those after them by seq: all of one moment. */
const selectUnseen: Statement<'key'> = {
  name: 'words-unseen',
  kind: 'key',
  text: `
    with c as materialized (
      select c.*, w.epoch as seen_epoch, w.seq as seen_seq, w.revision as seen_revision,
        case when c.epoch = w.epoch then w.seq else 0 end as known,
        case when c.epoch = w.epoch then w.revision else 0 end as known_revision
      from conversation c left join conversation_words w on w.conversation_key = $1 where c.key = $1
    ),
    changed as (
      select m.*, row_number() over (order by m.revision) as place from c cross join lateral (
        select * from message m
        where m.conversation_key = $1 and m.revision > c.known_revision and m.seq <= c.known
        order by m.revision limit $2
      ) m
    ),
    unseen as (
      select m.*, m.seq + (select count(*) from changed) as place from c
      join message m on m.conversation_key = $1 and m.seq > c.known and m.seq <= c.known::bigint + $2
    ),
    found as (
      select m.*, sum(m.size) over (order by m.place) as bytes
      from (select * from changed union all select * from unseen) m
    )
    select (select count(*) from changed), c.seen_epoch, c.seen_seq, c.seen_revision, ${conversationColumns('c')}, ${messageColumns('m', 'all', null)}
    from c left join found m on m.bytes - m.size <= $3
    order by m.place`,
}

/** Answers whether it stored them. */
async function storeWords(
  { pool, spreads }: Store,
  { key, userId }: Pick<Conversation, 'key' | 'userId'>,
  messages: readonly Message[],
  seen: Seen | null,
  next: Seen,
): Promise<boolean> {
  const isFound = ({ deletedAt, status }: Message) => deletedAt === null && status !== 'STREAMING'
  const found = messages.filter(isFound)
  const lexemes = []
  for (const message of found) lexemes.push(await readLexemes(userId, searchedText(message), pause))
  const values = [
    next.epoch,
    next.seq,
    next.revision,
    seen?.epoch,
    seen?.seq,
    seen?.revision,
    messages.filter((message) => !isFound(message)).map(({ seq }) => seq),
    found.map(({ seq }) => seq),
    found.map(({ revision }) => revision ?? 0),
    lexemes.map(({ length }) => length),
    lexemes.map(({ words }) => words),
  ]
  const stored = spreads
    ? await queryKey(pool, storeSpread, key, values)
    : await query(pool, storeAtOnce, [key, ...values])
  return stored.length > 0
}

/**
 * A message that was changed or erased meanwhile is left out: it has a later revision, or no conversation any more.
 *
 * @param before what the first insert selects from
 */
function storeText(before: string): string {
  return `
    with moved as (
      insert into conversation_words as w (conversation_key, epoch, seq, revision)
      select $1::uuid, $2::bigint, $3::int, $4::bigint ${before}
      on conflict (conversation_key) do update
        set epoch = excluded.epoch, seq = excluded.seq, revision = excluded.revision
        where w.epoch = $5::bigint and w.seq = $6::int and w.revision = $7::bigint
      returning 1
    ),
    hidden as (
      delete from message_words w where w.conversation_key = $1 and w.seq = any($8::int[]) and exists (select from moved)
    ),
    stored as (
      insert into message_words (conversation_key, seq, revision, parent_seq, role, created_at, length, words)
      select m.conversation_key, m.seq, asked.revision, coalesce(m.parent_seq, m.seq - 1), m.role, m.created_at,
        asked.length, asked.words::tsvector
      from unnest($9::int[], $10::bigint[], $11::int[], $12::text[]) as asked(seq, revision, length, words)
      join message m on m.conversation_key = $1 and m.seq = asked.seq and coalesce(m.revision, 0) = asked.revision
      where exists (select from moved)
      on conflict (conversation_key, seq) do update set
        revision = excluded.revision, length = excluded.length, words = excluded.words
    )
    select from moved`
}

/** What a crash loses is filled again, so the commit waits for no disk. A database that spreads conversations takes no such function. */
const storeAtOnce: Statement<'gathered'> = {
  name: 'words-store',
  kind: 'gathered',
  text: storeText("from set_config('synchronous_commit', 'off', true)"),
}

const storeSpread: Statement<'key'> = { name: 'words-store-spread', kind: 'key', text: storeText('') }

async function removeWords(store: Store, conversation: Conversation, seen: Seen | null): Promise<Filled> {
  if (seen === null || seen.seq === 0) return 'whole'
  const values = [seen.epoch, seen.seq, seen.revision, batch.messages]
  const [removed] = await queryKey(store.pool, removeSome, conversation.key, values)
  if (removed === undefined) return 'held'
  if (Number(removed[0]) === batch.messages) return 'more'
  const none = { epoch: conversation.epoch, seq: 0, revision: 0 }
  return (await storeWords(store, conversation, [], seen, none)) ? 'whole' : 'held'
}

/** Answers no row if they are not filled as far as was read. The lock keeps those who fill them waiting meanwhile. */
const removeSome: Statement<'key'> = {
  name: 'words-remove-some',
  kind: 'key',
  text: `
    with held as (
      update conversation_words w set epoch = w.epoch
      where w.conversation_key = $1 and w.epoch = $2 and w.seq = $3 and w.revision = $4 returning 1
    ),
    removed as (
      delete from message_words w where w.conversation_key = $1 and exists (select from held) and w.seq in (
        select w.seq from message_words w where w.conversation_key = $1 limit $5
      )
      returning 1
    )
    select (select count(*) from removed) from held`,
}

const forget: Statement<'key'> = {
  name: 'words-forget',
  kind: 'key',
  text: 'delete from conversation_words w where w.conversation_key = $1',
}
