import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import {
  conversationColumns,
  conversationWidth,
  nextUpdate,
  readConversation,
} from '../conversation/conversation-row.ts'
import { queryKey, type Row, type Statement } from '../postgres/statement.ts'
import { appendColumns, clearedColumns, type MessageColumn } from './message-columns.ts'
import { messageColumns, readMessage } from './message-row.ts'
import { arraysOf, arrayValuesOf, castsOf, namesOf } from './message-values.ts'
import type { NewMessage } from './new-message.ts'

/** Messages and their conversation, after a change. */
export interface Rewritten {
  readonly conversation: Conversation
  /** In the order of their new revisions. */
  readonly messages: Message[]
}

export interface Rewrite {
  readonly seq: number
  readonly message: NewMessage
}

/** Gives messages of a locked conversation new contents. Each message takes a revision of its own. */
export async function rewriteMessages(
  client: PoolClient,
  conversation: Conversation,
  rewrites: readonly Rewrite[],
): Promise<Rewritten> {
  const columns = arrayValuesOf(
    appendColumns,
    rewrites.map(({ message }) => message),
  )
  const seqs = rewrites.map(({ seq }) => seq)
  return readRewritten(await queryKey(client, rewrite, conversation.key, [rewrites.length, seqs, ...columns]))
}

const rewrite: Statement<'key'> = {
  name: 'message-rewrite',
  kind: 'key',
  text: changing(
    `select n::int, seq, ${castsOf(appendColumns)}
     from unnest($3::int[], ${arraysOf(appendColumns, 4)}) with ordinality as input(seq, ${namesOf(appendColumns)}, n)`,
    `${assignmentsOf(appendColumns)}, edited_at = moved.updated_at`,
  ),
}

/** The SQL that gives a message `m` the values of `input`. A payload hash of null leaves the stored one as it is. */
export function assignmentsOf(columns: readonly MessageColumn[]): string {
  const values = (name: string) =>
    name === 'payload_hash' ? 'coalesce(input.payload_hash, m.payload_hash)' : `input.${name}`
  return columns.map(({ name }) => `${name} = ${values(name)}`).join(', ')
}

/** Turns messages of a locked conversation into tombstones: their contents are deleted for good, their seqs stay. */
export async function tombstoneMessages(
  client: PoolClient,
  conversation: Conversation,
  seqs: readonly number[],
): Promise<Rewritten> {
  await queryKey(client, lockStreams, conversation.key, [seqs])
  return readRewritten(await queryKey(client, tombstone, conversation.key, [seqs.length, seqs]))
}

/**
 * Waits for text that is being stored. If the statement that deletes waited for it, that statement would still look with
 * its snapshot from before the wait: chunks that were stored meanwhile would stay.
 */
const lockStreams: Statement<'key'> = {
  name: 'message-lock-streams',
  kind: 'key',
  text: 'select seq from message_stream where conversation_key = $1 and seq = any($2) order by seq for update',
}

const tombstone: Statement<'key'> = {
  name: 'message-tombstone',
  kind: 'key',
  text: changing(
    'select n::int, seq from unnest($3::int[]) with ordinality as input(seq, n)',
    `${clearedColumns.map(({ name }) => `${name} = ${name === 'size' ? '0' : 'default'}`).join(', ')}, deleted_at = moved.updated_at,
     status = case when m.status = 'STREAMING' then 'CANCELLED' else m.status end`,
    'delete from message_stream s using input where s.conversation_key = $1 and s.seq = input.seq',
    'delete from message_chunk k using input where k.conversation_key = $1 and k.seq = input.seq',
    'delete from message_reaction r using input where r.conversation_key = $1 and r.seq = input.seq',
    'delete from message_link l using input where l.conversation_key = $1 and l.seq = input.seq',
    'delete from message_feedback f using input where f.conversation_key = $1 and f.seq = input.seq',
  ),
}

/**
 * A statement that changes messages of the conversation `$1`. `input` yields (n, seq, …) and names the messages. `$2`
 * is how many they are; the conversation's revision grows by it. The statements in `also` run inside the same
 * statement. Without assignments, only the revisions move. Revisions are taken under the conversation's lock, as seqs are, so the order of revisions is the order of
 * commits.
 */
export function changing(input: string, assignments: string | null, ...also: string[]): string {
  return `
    with input as (${input}),
    ${also.map((statement, index) => `also_${index} as (${statement}),`).join('\n')}
    moved as (
      update conversation c set
        revision = c.revision + $2,
        updated_at = ${nextUpdate('c.updated_at')}
      where c.key = $1
      returning c.*
    ),
    changed as (
      update message m set ${assignments === null ? '' : `${assignments},`}
        updated_at = moved.updated_at, revision = moved.revision - $2 + input.n
      from moved cross join input
      where m.conversation_key = $1 and m.seq = input.seq
      returning ${messageColumns('m', 'all', '$1')}
    )
    select ${conversationColumns('moved')}, changed.*
    from moved cross join changed order by changed.revision`
}

export function readRewritten(rows: readonly Row[]): Rewritten {
  const conversation = readConversation(rows[0] as Row)
  return { conversation, messages: rows.map((row) => readMessage(row, conversationWidth, conversation)) }
}
