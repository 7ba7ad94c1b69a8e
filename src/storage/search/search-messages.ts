import type { Awaiting } from '../../database/reads/lone-reads.ts'
import type { Conversation } from '../../entities/conversation.ts'
import type { Place } from '../../entities/ids/place.ts'
import type { MessageRole } from '../../entities/message/message-enums.ts'
import { requiredIn, soughtIn, type WordQuery } from '../../words/word-query.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { firstSeqOf, statementFor } from '../conversation/history-part.ts'
import { firstSeqOfAny } from '../list/list-statement.ts'
import { query, queryKey, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readOwners, searchable } from './readable.ts'

export interface SearchAsk {
  readonly query: WordQuery
  /** null: all conversations that the viewer may read. */
  readonly conversation: Pick<Conversation, 'key' | 'epoch' | 'userId'> | null
  /** Both ends of the time in which messages were stored; `from` is included, `to` is not. */
  readonly from: string | null
  readonly to: string | null
  readonly roles: readonly MessageRole[] | null
  /** Only what comes after it; null: from the best one on. */
  readonly after: FoundPlace | null
  readonly count: number
}

/** Where a message stands among all that was found. */
export interface FoundPlace extends Place {
  /** In millionths. */
  readonly score: number
}

export interface Found extends FoundPlace {
  /** The revision of the message when its words were read. */
  readonly revision: number
}

/**
 * The messages that fit a query best, best first. Each word counts by how rare it is among the messages that the viewer
 * may read (BM25), and each message gives parts of its score to its neighbours on the paths that lead through it. One
 * statement.
 */
export async function searchWords(
  store: Store,
  userId: string,
  ask: SearchAsk,
  awaiting: Awaiting,
): Promise<readonly Found[]> {
  const owners = await readOwners(store, userId)
  const byOwner = soughtIn(owners, ask.query)
  const [words] = byOwner
  if (words === undefined || words.length === 0) return []
  const places = byOwner.flatMap((list) => list.map((_, index) => index))
  const values = [
    byOwner.flatMap((list) => list.map((sought) => sought.query)),
    places,
    byOwner.flatMap((list) => list.map(({ weight }) => weight)),
    requiredIn(owners, ask.query),
    ask.from,
    ask.to,
    ask.roles,
    ask.after?.score ?? null,
    ask.after?.key ?? null,
    ask.after?.seq ?? null,
    ask.count,
  ]
  const { conversation } = ask
  if (conversation !== null) {
    const { key, epoch, userId: owner } = conversation
    const statement = statementFor(selectOfOne, userId, owner)
    return (await queryKey(store.lone, statement, key, [userId, epoch, ...values], awaiting)).map(toFound)
  }
  const { whole, part } = store.spreads ? selectOfAllSpread : selectOfAll
  // Who takes part in nobody else's conversations reads all that it searches.
  const statement = owners.length === 1 ? whole : part
  return (await query(store.lone, statement, [userId, ...values], awaiting)).map(toFound)
}

function toFound([key, epoch, seq, revision, score]: Row): Found {
  return {
    key: key as string,
    epoch: Number(epoch),
    seq: seq as number,
    revision: Number(revision),
    score: Number(score),
  }
}

/**
 * The factors of BM25. How often a word stands in a message is not counted: on 1,535 questions it made no difference. A
 * long message loses less than usual, and a rare word gains more.
 */
const [k1, b, rarity] = [0.6, 0.3, 1.5]

/** What a message gives of its score to the next message on each side, and to the one behind it. */
const [near, far] = [0.4, 0.2]

/** So many of the messages that have the words give to their neighbours, and can be found. */
const mostFound = 1_000

/**
 * If a word is in more messages than this and than a sixth of all, it is left out, unless all words are: it would say
 * little, and take most of the time.
 */
const [leastCommon, mostCommon] = [1_000, 20_000]

/**
 * Each word is one look into the index; on one PostgreSQL it ends where the word is too common. The conversations are
 * known before, so the words of others, who may have the same scope, are dropped at once. A database that spreads
 * conversations takes no limit in there.
 *
 * @param readable the conversations, as a table `c` with its condition
 * @param first the first seq that the viewer reads of `c`; null: it reads all
 * @param at the number of the first parameter
 */
function selectText(readable: string, first: string | null, key: string | null, at: number, spreads: boolean): string {
  const n = (offset: number) => `$${at + offset}`
  const [queries, places, weights, required, from, to, roles] = [n(0), n(1), n(2), n(3), n(4), n(5), n(6)]
  const [score, afterKey, afterSeq, count] = [n(7), n(8), n(9), n(10)]
  const ofKey = (table: string, other: string) =>
    key === null ? `${table}.conversation_key = ${other}` : `${table}.conversation_key = ${key}`
  const isRead = (table: string) => {
    if (first === null) return ''
    if (key !== null)
      return `
    and ${table}.seq >= (select r.first_seq from readable r)`
    return `
    and ((${table}.conversation_key in (select l.key from late l)) is not true
      or ${table}.seq >= (select l.first_seq from late l where l.key = ${table}.conversation_key))`
  }
  const isWanted = (table: string) => `
    (${required}::text is null or ${table}.words @@ ${required}::tsquery)
    and (${from}::timestamptz is null or ${table}.created_at >= ${from})
    and (${to}::timestamptz is null or ${table}.created_at < ${to})
    and (${roles}::text[] is null or ${table}.role = any(${roles}))${isRead(table)}`
  const sought = `unnest(${queries}::text[], ${places}::int[], ${weights}::float8[]) as q(query, n, weight)`
  const columns = 'w.conversation_key, w.seq, w.parent_seq, w.length'
  const ofAny = `
    select q.n, q.weight, ${columns}
    from readable r join message_words w on ${ofKey('w', 'r.key')} cross join ${sought}
    where w.words @@ q.query::tsquery and ${isWanted('w')}`
  // As a join, PostgreSQL would look into the index once for each conversation.
  const isReadable = key === null ? '(w.conversation_key in (select r.key from readable r)) is true' : ofKey('w', key)
  const ofScope = `
    select q.n, q.weight, ${columns} from ${sought} cross join lateral (
      select ${columns} from message_words w
      where w.words @@ q.query::tsquery and ${isReadable} and ${isWanted('w')}
      limit (select size.common + 1 from size)
    ) w`
  const place = `${ofKey('w', 't.conversation_key')} and w.seq = t.seq and ${isWanted('w')}`
  const foundOfAny = `
    select w.conversation_key, w.seq, w.revision, t.score from placed t join message_words w on ${place}
    order by t.score desc, w.conversation_key, w.seq limit ${count}`
  // Only the best are looked up.
  const foundInOrder = `
    select w.* from (select * from placed order by score desc, conversation_key, seq) t cross join lateral (
      select w.conversation_key, w.seq, w.revision, t.score from message_words w where ${place} limit 1
    ) w
    limit ${count}`
  return `
    with readable as materialized (
      select c.key, c.epoch, c.last_seq, c.is_branched${first === null ? '' : `, ${first} as first_seq`} from ${readable}
    ),${first === null ? '' : late}
    size as materialized (
      select coalesce(sum(r.last_seq), 0)::float8 as messages,
        least(greatest(sum(r.last_seq) / 6, ${leastCommon}), ${mostCommon})::int as common
      from readable r
    ),
    hit as materialized (${spreads ? ofAny : ofScope}),
    word as materialized (
      select h.n, h.weight, count(*)::float8 as messages from hit h group by h.n, h.weight
    ),
    worth as materialized (
      select word.n,
        word.weight * (1 + ${k1}::float8) * power(
          ln(1 + (greatest(size.messages - word.messages, 0) + 0.5::float8) / (word.messages + 0.5::float8)), ${rarity}
        ) as worth
      from word cross join size
      where word.messages <= size.common or (select min(word.messages) from word) > size.common
    ),
    usual as materialized (
      select greatest(avg(h.length), 1)::float8 as length from hit h
    ),
    best as materialized (
      select b.*, (b.conversation_key in (select r.key from readable r where r.is_branched)) is true as is_branched
      from (
        select h.conversation_key, h.seq, h.parent_seq,
          sum(worth.worth / (1 + ${k1}::float8 * (${1 - b}::float8 + ${b}::float8 * h.length / usual.length))) as score
        from hit h join worth on worth.n = h.n cross join usual
        group by h.conversation_key, h.seq, h.parent_seq
        order by score desc, h.conversation_key, h.seq limit ${mostFound}
      ) b
    ),
    branched as materialized (
      select * from best where is_branched
    ),
    child as materialized (
      ${continuing('branched', ofKey)}
    ),
    given as (
      select conversation_key, seq, score from best
      union all
      select conversation_key, best.seq + step.seq, score * step.part
      from best cross join (values (-2, ${far}::float8), (-1, ${near}), (1, ${near}), (2, ${far})) as step(seq, part)
      where not best.is_branched
      union all select conversation_key, parent_seq, score * ${near}::float8 from branched
      union all
      select b.conversation_key, w.parent_seq, b.score * ${far}::float8
      from branched b join message_words w on ${ofKey('w', 'b.conversation_key')} and w.seq = b.parent_seq
      union all select conversation_key, seq, score * ${near}::float8 from child
      union all
      select conversation_key, seq, score * ${far}::float8 from (${continuing('child', ofKey)}) grandchild
    ),
    total as materialized (
      select conversation_key, seq, round(sum(score) * 1000000)::bigint as score from given group by conversation_key, seq
    ),
    placed as materialized (
      select * from total t
      where ${score}::bigint is null or t.score < ${score}
        or (t.score = ${score} and (t.conversation_key, t.seq) > (${afterKey}::uuid, ${afterSeq}::int))
    ),
    found as materialized (${spreads ? foundOfAny : foundInOrder})
    select r.key, r.epoch, f.seq, f.revision, f.score
    from found f join readable r on r.key = f.conversation_key
    order by f.score desc, r.key, f.seq`
}

/** Conversations of which the viewer does not read all. For a viewer without any, no message is compared with its first seq. */
const late = `
    late as materialized (
      select r.key, r.first_seq from readable r where r.first_seq > 1
    ),`

/**
 * The messages that continue those of a table: the next one, and those that name another parent. Only branched
 * conversations are asked: in others the seqs say it.
 */
function continuing(table: string, ofKey: (table: string, other: string) => string): string {
  const columns = 'w.conversation_key, w.seq, b.score'
  const joined = `from ${table} b join message_words w on ${ofKey('w', 'b.conversation_key')}`
  return `
    select ${columns} ${joined} and w.seq = b.seq + 1 and w.parent_seq = b.seq
    union all
    select ${columns} ${joined} and w.parent_seq = b.seq and w.parent_seq <> w.seq - 1`
}

const selectOfOne = {
  whole: selectOne('search-one', null),
  part: selectOne('search-one-part', firstSeqOf()),
}

function selectOne(name: string, first: string | null): Statement<'key'> {
  const readable = `conversation c where ${reachable('c')} and c.is_searchable`
  return { name, kind: 'key', text: selectText(readable, first, '$1', 4, false) }
}

/** The scope finds messages before it is known whose they are: that is no statement for a database that spreads them. */
const selectOfAll = {
  whole: selectAll('search-all', 'gathered', null),
  part: selectAll('search-all-part', 'gathered', firstSeqOfAny),
}

const selectOfAllSpread = {
  whole: selectAll('search-all-spread', 'user', null),
  part: selectAll('search-all-spread-part', 'user', firstSeqOfAny),
}

function selectAll<Kind extends 'gathered' | 'user'>(name: string, kind: Kind, first: string | null): Statement<Kind> {
  return { name, kind, text: selectText(searchable, first, null, 2, kind === 'user') }
}
