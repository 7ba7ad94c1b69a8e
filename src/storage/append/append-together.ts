import { Conversation } from '../../entities/conversation.ts'
import { atOnce, commit, moving } from '../conversation/commit.ts'
import { mayAccess } from '../conversation/conversation-ref.ts'
import { conversationColumns, nextUpdate, readConversation } from '../conversation/conversation-row.ts'
import { appendColumns } from '../message/message-columns.ts'
import { arraysOf, arrayValuesOf, castsOf, namesOf } from '../message/message-values.ts'
import { isRefused } from '../postgres/refused.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type Append, type Appended, asStored, insertAlone } from './append.ts'
import { plain } from './append-statements.ts'

/**
 * Appends to many conversations in one statement and one commit. Answers for each append what it stored, or null if it
 * stored nothing. It stores nothing if there is no such conversation, if another transaction holds the conversation, if
 * the active leaf is not the newest message, if a person has taken the conversation over, or if a client id is known. If
 * PostgreSQL refuses one append, all get null. The appends to one conversation are stored in the given order, all or
 * none, as if they had come one after the other.
 *
 * The caller makes sure of four things: all of them are by the owners, no two appends bring the same client id to one conversation, no append asks
 * for a last seq, and all appends to one conversation name it in the same way.
 */
export async function appendTogether(store: Store, appends: readonly Append[]): Promise<(Appended | null)[]> {
  const groups = [...Map.groupBy(appends, ({ to }) => to.key).values()]
  const inputs = groups.flatMap((group, index) =>
    group.flatMap(({ messages }) => messages).map((message, place) => [index + 1, place + 1, message] as const),
  )
  const columns = arrayValuesOf(
    appendColumns,
    inputs.map(([, , message]) => message),
  )
  const values = [
    groups.map(([first]) => (first as Append).to.key),
    groups.map(([first]) => (first as Append).to.userId),
    groups.map(([first]) => (first as Append).to.epoch),
    groups.map((group) => group.length),
    groups.map(countMessages),
    inputs.map(([n]) => n),
    inputs.map(([, place]) => place),
    ...columns,
  ]
  const moved = await commit(
    store,
    atOnce(async (pool) => {
      const rows = await query(pool, gathered, values)
      const byGroup = new Map(rows.map((row) => [Number(row[0]) - 1, readConversation(row, 1)]))
      return moving(byGroup, ...byGroup.values())
    }),
  ).catch(unlessRefused(new Map<number, Conversation>()))
  const stored = new Map<Append, Appended>()
  for (const [index, conversation] of moved) {
    const group = groups[index] as Append[]
    for (const [place, appended] of inTurn(group, conversation).entries()) {
      stored.set(group[place] as Append, appended)
    }
  }
  return appends.map((append) => stored.get(append) ?? null)
}

/**
 * The same for appends to one conversation. If another transaction holds the conversation, they wait for it. Such
 * appends need no gathered statement, so they run on every database.
 */
export async function appendToOne(store: Store, appends: readonly Append[]): Promise<(Appended | null)[]> {
  const [{ to }] = appends as [Append]
  const messages = appends.flatMap((append) => append.messages)
  const insertion = { to, ifLastSeq: null, messages, mode: 'update', appends: appends.length } as const
  const after = await insertAlone(store, insertion).catch(unlessRefused(null))
  return after === null ? appends.map(() => null) : inTurn(appends, after)
}

/** A failure after which nothing is stored, as an answer. */
function unlessRefused<T>(answer: T): (error: unknown) => T {
  return (error) => {
    if (isRefused(error)) return answer
    throw error
  }
}

/**
 * What each append would have answered if the appends had come one after the other. @param after the conversation after
 * the last append
 */
function inTurn(group: readonly Append[], after: Conversation): Appended[] {
  let lastSeq = after.lastSeq - countMessages(group)
  let revision = after.revision - group.length
  return group.map(({ messages }) => {
    lastSeq += messages.length
    revision += 1
    const conversation =
      lastSeq === after.lastSeq ? after : Object.assign(new Conversation(), after, { lastSeq, revision })
    return asStored(conversation, messages)
  })
}

function countMessages(group: readonly Append[]): number {
  return group.reduce((sum, { messages }) => sum + messages.length, 0)
}

/**
 * The statement locks rows in the order of their keys, and an append takes no other locks. So servers that gather
 * appends cannot wait for one another in a circle. The statement looks up client ids in its snapshot. If a client id
 * was stored after the snapshot was taken, the statement fails and stores nothing.
 */
const gathered: Statement<'gathered'> = {
  name: 'append-together',
  kind: 'gathered',
  text: `
      with asked as (
        select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::int[])
          with ordinality as asked(key, user_id, epoch, appends, messages, n)
      ),
      input as (
        select n, place, ${castsOf(appendColumns)}
        from unnest($6::int[], $7::int[], ${arraysOf(appendColumns, 8)}) as input(n, place, ${namesOf(appendColumns)})
      ),
      known as (
        select input.n from input join asked on asked.n = input.n
        join message m on m.conversation_key = asked.key and m.client_id = input.client_id
      ),
      found as materialized (
        select asked.n, asked.appends, asked.messages, c.key
        from asked
        join conversation c on c.key = asked.key and ${mayAccess('c', 'owner', 'asked.key', 'asked.user_id')} and c.deleted_at is null
          and ${plain('c')} and (asked.epoch is null or c.epoch = asked.epoch)
        where asked.n not in (select n from known)
        order by c.key
        for update of c skip locked
      ),
      moved as (
        update conversation c set
          last_seq = c.last_seq + found.messages,
          revision = c.revision + found.appends,
          updated_at = ${nextUpdate('c.updated_at')}
        from found where c.key = found.key
        returning found.n, found.messages, c.*
      ),
      stored as (
        insert into message (conversation_key, seq, ${namesOf(appendColumns)}, created_at, updated_at)
        select moved.key, moved.last_seq - moved.messages + input.place, ${namesOf(appendColumns, 'input')},
          moved.updated_at, moved.updated_at
        from moved join input on input.n = moved.n
      )
      select moved.n, ${conversationColumns('moved')} from moved`,
}
