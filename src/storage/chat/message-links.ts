import type { PoolClient } from 'pg'
import type { Place } from '../../entities/ids/place.ts'
import type { Message } from '../../entities/message/message.ts'
import { ForeignReply, MentionedOutsider } from '../../facts.ts'
import type { Reached } from '../conversation/participant-role.ts'
import { readTakingPart } from '../participant/taking-part.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { writeJson } from '../postgres/column.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readBeside, selectBeside } from './beside-messages.ts'

/** What a message to append says of another message and of users. */
export interface Links {
  /** The place of the message in its append, from 0. */
  readonly index: number
  /** The message that it replies to, of any conversation; null: none. */
  readonly replyTo: Place | null
  /** The users that it mentions, each once. */
  readonly mentions: readonly string[]
}

/**
 * Refuses links to what is not in the conversation, or not where whoever appends reads.
 *
 * @param reached the conversation as it is before the messages are stored
 * @param links by the seqs that the messages have or get
 * @throws ForeignReply, MentionedOutsider
 */
export async function requireLinks(
  client: PoolClient,
  { conversation, firstSeq }: Reached,
  links: ReadonlyMap<number, Links>,
): Promise<void> {
  const { key, epoch, userId, lastSeq } = conversation
  for (const [seq, { index, replyTo }] of links) {
    if (replyTo === null) continue
    const isBefore = replyTo.seq >= firstSeq && replyTo.seq < seq && replyTo.seq <= lastSeq
    if (replyTo.key !== key || replyTo.epoch !== epoch || !isBefore) throw new ForeignReply(index)
  }
  const given = [...links.values()]
  const mentioned = [...new Set(given.flatMap(({ mentions }) => mentions))].filter((id) => id !== userId)
  if (mentioned.length === 0) return
  const present = new Set([userId, ...(await readTakingPart(client, conversation, mentioned))])
  for (const { index, mentions } of given) {
    const outsider = mentions.find((id) => !present.has(id))
    if (outsider !== undefined) throw new MentionedOutsider(index, outsider)
  }
}

/** Stores the links of messages that have none, by seq. */
export async function storeLinks(client: PoolClient, key: string, links: ReadonlyMap<number, Links>): Promise<void> {
  if (links.size === 0) return
  const given = [...links.values()]
  const values = [
    [...links.keys()],
    given.map(({ replyTo }) => replyTo?.seq ?? null),
    given.map(({ mentions }) => writeJson(mentions)),
  ]
  await queryKey(client, insert, key, values)
}

/** For messages that get new contents. */
export async function removeLinks(client: PoolClient, key: string, seqs: readonly number[]): Promise<void> {
  await queryKey(client, remove, key, [seqs])
}

const remove: Statement<'key'> = {
  name: 'link-delete',
  kind: 'key',
  text: 'delete from message_link l where l.conversation_key = $1 and l.seq = any($2)',
}

const insert: Statement<'key'> = {
  name: 'link-insert',
  kind: 'key',
  text: `
    insert into message_link (conversation_key, seq, reply_to_seq, mentions)
    select $1, seq, reply_to_seq, mentions::jsonb
    from unnest($2::int[], $3::int[], $4::text[]) as input(seq, reply_to_seq, mentions)`,
}

/** What a message that is stored says of another message and of users. */
export interface StoredLinks {
  readonly replyToSeq: number | null
  readonly mentions: readonly string[]
}

/** For each message, in order. */
export async function readLinks(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
): Promise<StoredLinks[]> {
  const rows = await readBeside(store, budget, userId, messages, select, () => true)
  return rows.map((row) => ({
    replyToSeq: (row?.[0] as number | null) ?? null,
    mentions: JSON.parse((row?.[1] as string) ?? '[]'),
  }))
}

const select = selectBeside(
  'link-select',
  `
    select 64 + octet_length(l.mentions::text)::bigint as own, l.seq, l.reply_to_seq, l.mentions
    from message_link l where l.conversation_key = $1 and l.seq = any($4::int[])`,
)
