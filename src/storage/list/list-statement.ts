import {
  briefWidth,
  type ConversationColumns,
  conversationBytes,
  conversationColumns,
  conversationWidth,
} from '../conversation/conversation-row.ts'
import { firstSeqOf, readsAt } from '../conversation/history-part.ts'
import { type MessageColumns, messageColumnNames, messageColumns, rowBytes } from '../message/message-row.ts'
import { clock, toMoment } from '../postgres/moment.ts'
import type { Statement } from '../postgres/statement.ts'

/** What decides the text of the statement. There are few texts, and each is made when it is first needed. */
export interface ListForm {
  /**
   * `own`: the page has no conversations at all if the user takes part in any of others. `all`: it has those as well.
   * Most users take part in none, and looking for theirs took PostgreSQL a seventh longer.
   */
  readonly whose: 'own' | 'all'
  readonly fromEnd: boolean
  readonly isFiltered: boolean
  /** `bounds`: the page has bounds, and the head says what lies beyond them. `time`: the head says only the time. */
  readonly head: 'time' | 'bounds' | null
  readonly columns: ConversationColumns
  /** null: the last messages are not read. */
  readonly lastMessages: MessageColumns | null
}

interface ListStatement {
  readonly statement: Statement<'user'>
  /** Whether the first row is the head of the page and not a conversation. */
  readonly hasHead: boolean
}

const made = new Map<string, ListStatement>()

/**
 * Reads one row more than a page holds, for that row says whether there is more. The parameters are the user, the count,
 * then both bounds if there are any, then the filter if there is one. The columns of a conversation's row are: its own
 * bytes, those of its last message, two nulls, its columns, and those of the message. The columns of the head are: null,
 * the moment of the read, and whether anything lies before and after the bounds.
 */
export function listStatement(form: ListForm): ListStatement {
  const { whose, fromEnd, isFiltered, head, columns, lastMessages } = form
  const parts = [whose, fromEnd ? 'last' : 'first', head, isFiltered ? 'filtered' : null, columns, lastMessages]
  const name = ['conversation-list', ...parts.filter((part) => part !== null)].join('-')
  let found = made.get(name)
  if (found === undefined) {
    found = { statement: { name, kind: 'user', text: listText(form) }, hasHead: head !== null }
    made.set(name, found)
  }
  return found
}

/**
 * The largest last message that comes with a list, in bytes. Larger ones, streaming ones, whose text is in other tables,
 * and those before a deleted one are read by themselves.
 */
const messageBytes = 16_384

/**
 * Every part follows the order of the index, and reads no more than it needs. The statement has no window and no other
 * step that would need all rows at once: with the sum of bytes made by PostgreSQL, a list of 20 took it 60 µs more. The
 * bytes are limited all the same: the page has at most 101 rows, and each of them is small.
 */
function listText({ whose, fromEnd, isFiltered, head, columns, lastMessages }: ListForm): string {
  const newestFirst = 'c.updated_at desc, c.key asc'
  const oldestFirst = 'c.updated_at asc, c.key desc'
  const [metadata, archived, updatedAfter, title] =
    head === 'bounds' ? ['$7', '$8', '$9', '$10'] : ['$3', '$4', '$5', '$6']
  const wanted = `
    and c.updated_at > ${updatedAfter}::timestamptz
    and (${archived}::boolean is null or (c.archived_at is not null) = ${archived})
    and (${metadata}::jsonb is null or c.metadata @> ${metadata})
    and (${title}::text is null or position(${folded(title)} in ${folded('c.title')}) > 0)`
  const isListed = `c.deleted_at is null ${isFiltered ? wanted : ''}`
  const newest = fromEnd ? oldestFirst : newestFirst
  const isAfter = 'c.updated_at <= $3 and (c.updated_at < $3 or c.key > $4)'
  const isBefore = 'c.updated_at >= $5 and (c.updated_at > $5 or c.key < $6)'
  const upToAfter = 'c.updated_at >= $3 and (c.updated_at > $3 or c.key <= $4)'
  const fromBefore = 'c.updated_at <= $5 and (c.updated_at < $5 or c.key >= $6)'
  const bounds = head === 'bounds' ? `and ${isAfter} and ${isBefore}` : ''
  const sources = whose === 'own' ? [own] : theirs
  const most = '$2::int + 1'
  const found = sources.map((from) => `(select c.* ${from} and ${isListed} ${bounds} order by ${newest} limit ${most})`)
  const last = lastMessages === null ? '' : lastMessage(whose)
  const rows =
    whose === 'own'
      ? `from conversation c ${last} where ${isOwn} and ${isListed} ${bounds}
        order by ${newest} limit case when exists (select from participant p where ${takesPart}) then 0 else ${most} end`
      : `from (${found.join(' union all ')}) c ${last} order by ${newest} limit ${most}`
  const page = `
    select ${conversationBytes('c')}, ${lastMessages === null ? '0' : `coalesce(${rowBytes('m', null)}, 0)`}, null, null,
      ${conversationColumns('c', columns)}${lastMessages === null ? '' : `, ${messageColumns('m', lastMessages, null)}`}
    ${rows}`
  if (head === null) return page
  const exists = (isBound: string, condition: string, nearestFirst: string) =>
    head === 'time'
      ? 'false'
      : `${isBound} and (${sources
          .map(
            (from) =>
              `coalesce((select true ${from} and ${isListed} and ${condition} order by ${nearestFirst} limit 1), false)`,
          )
          .join(' or ')})`
  const nulls =
    (columns === 'brief' ? briefWidth : conversationWidth) +
    (lastMessages === null ? 0 : messageColumnNames(lastMessages).length)
  return `
    with ${clock}
    (
      select null, ${toMoment('clock.at')},
        ${exists("$3::timestamptz < 'infinity'", fromEnd ? `${upToAfter} and ${isBefore}` : upToAfter, oldestFirst)},
        ${exists("$5::timestamptz > '-infinity'", fromEnd ? fromBefore : `${fromBefore} and ${isAfter}`, newestFirst)},
        ${Array(nulls).fill('null').join(', ')}
      from clock
    )
    union all (${page})`
}

/**
 * A participant `p`, and the conversation `c` in which it takes part. The limit makes PostgreSQL look each of them up: it
 * plans for as many as a user has on average, and then read all conversations of everybody for a user who has none.
 */
export const participants = `from participant p cross join lateral (
    select * from conversation c where c.key = p.conversation_key and c.epoch = p.epoch limit 1
  ) c`

const isOwn = 'c.user_id = $1'
const takesPart = 'p.user_id = $1 and p.ended_at is null'
const own = `from conversation c where ${isOwn}`

/** The user's own conversations, and those in which it takes part. For a user who takes part in none that is one look. */
export const theirs = [own, `${participants} where ${takesPart}`]

/** The first seq that the user `$1` reads of the conversation `c`, which is one of `theirs`. */
export const firstSeqOfAny = `case when c.user_id = $1 then 1 else ${firstSeqOf('c.key', '$1')} end`

/** A text without the difference between capitals and small letters, and without accents above and below letters. */
function folded(text: string): string {
  return `normalize(lower(regexp_replace(normalize(${text}, NFKD), '[\\u0300-\\u036f]', '', 'g')), NFC)`
}

/** The last message is looked up by the last seq. To look for the newest that is not deleted took a fifth longer. */
function lastMessage(whose: ListForm['whose']): string {
  return `
    left join message m on m.conversation_key = c.key and m.seq = c.last_seq
      and m.deleted_at is null and m.status <> 'STREAMING' and m.size <= ${messageBytes}
      ${whose === 'own' ? '' : `and ${readsAt('c', 'm.seq', 'c.key', '$1')}`}`
}
