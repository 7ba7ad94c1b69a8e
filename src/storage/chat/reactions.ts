import type { Message } from '../../entities/message/message.ts'
import { MessageMissing, TooManyEmojis } from '../../facts.ts'
import { unmoved } from '../conversation/commit.ts'
import { changeOne, type MessageRef, movingOne } from '../message/edit.ts'
import { changing, readRewritten } from '../message/rewrite.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readBeside, selectBeside } from './beside-messages.ts'

/** The users who put one emoji on a message. */
export interface Reactions {
  readonly emoji: string
  readonly count: number
  readonly viewerReacted: boolean
}

/**
 * Puts an emoji of the user on a message. If it is there, nothing changes.
 *
 * @param most how many different emojis a message may have
 * @throws MessageMissing, NotPermitted, TooManyEmojis
 */
export function addReaction(store: Store, ref: MessageRef, emoji: string, most: number): Promise<Message> {
  return change(store, ref, emoji, insert, (emojis) => {
    if (emojis.length >= most && !emojis.includes(emoji)) throw new TooManyEmojis(most)
  })
}

/** Takes an emoji of the user away. If it is not there, nothing changes. @throws MessageMissing, NotPermitted */
export function removeReaction(store: Store, ref: MessageRef, emoji: string): Promise<Message> {
  return change(store, ref, emoji, remove, () => {})
}

/** A change moves the message's revision, so that feeds, pages and caches show it as they show an edit. */
function change(
  store: Store,
  ref: MessageRef,
  emoji: string,
  statement: Statement<'key'>,
  require: (emojis: readonly string[]) => void,
): Promise<Message> {
  const { userId } = ref.conversation
  return changeOne(store, ref, 'any', async (client, message) => {
    if (message.deletedAt !== null) throw new MessageMissing()
    const { conversation, seq } = message
    require((await queryKey(client, selectEmojis, conversation.key, [seq])).map(([found]) => found as string))
    const changed = await queryKey(client, statement, conversation.key, [seq, emoji, userId, conversation.revision + 1])
    if (changed.length === 0) return unmoved(message)
    return movingOne(readRewritten(await queryKey(client, move, conversation.key, [1, seq])))
  })
}

const selectEmojis: Statement<'key'> = {
  name: 'reaction-emojis',
  kind: 'key',
  text: 'select distinct r.emoji from message_reaction r where r.conversation_key = $1 and r.seq = $2',
}

const insert: Statement<'key'> = {
  name: 'reaction-insert',
  kind: 'key',
  text: `
    insert into message_reaction (conversation_key, seq, emoji, user_id, revision) values ($1, $2, $3, $4, $5)
    on conflict do nothing returning 1`,
}

const remove: Statement<'key'> = {
  name: 'reaction-delete',
  kind: 'key',
  text: `
    delete from message_reaction r
    where r.conversation_key = $1 and r.seq = $2 and r.emoji = $3 and r.user_id = $4 and $5::bigint is not null
    returning 1`,
}

const move: Statement<'key'> = {
  name: 'reaction-move',
  kind: 'key',
  text: changing('select 1 as n, $3::int as seq', null),
}

/** For each message, in order: its emojis, by their first use. A message that was never changed has none. */
export async function readReactions(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
): Promise<Reactions[][]> {
  const rows = await readBeside(store, budget, userId, messages, select, ({ revision }) => revision !== null)
  return rows.map((row) => {
    const emojis: [emoji: string, count: number, viewerReacted: boolean][] = JSON.parse((row?.[0] as string) ?? '[]')
    return emojis.map(([emoji, count, viewerReacted]) => ({ emoji, count, viewerReacted }))
  })
}

/** An emoji counts 64 bytes. */
const select = selectBeside(
  'reaction-select',
  `
    select 64 * count(*) as own, e.seq,
      json_agg(json_build_array(e.emoji, e.count, e.viewer_reacted) order by e.first) as emojis
    from (
      select r.seq, r.emoji, count(*) as count, bool_or(r.user_id = $2) as viewer_reacted, min(r.revision) as first
      from message_reaction r where r.conversation_key = $1 and r.seq = any($4::int[])
      group by r.seq, r.emoji
    ) e
    group by e.seq`,
)
