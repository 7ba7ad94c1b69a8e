import type { Conversation } from '../../entities/conversation.ts'
import { NotPermitted } from '../../facts.ts'
import { mayAccess } from '../conversation/conversation-ref.ts'
import { allows, readPart } from '../conversation/participant-role.ts'
import { queryKey, type Runner, type Statement } from '../postgres/statement.ts'

/** Those of the users who take part in the conversation, in their order; none if it is not there any more. */
export async function readTakingPart(
  on: Runner,
  { key, epoch }: Pick<Conversation, 'key' | 'epoch'>,
  userIds: readonly string[],
): Promise<string[]> {
  const [row] = await queryKey(on, select, key, [epoch, userIds])
  return JSON.parse((row?.[0] as string | null | undefined) ?? '[]')
}

const select: Statement<'key'> = {
  name: 'taking-part',
  kind: 'key',
  text: `
    select json_agg(asked.user_id order by asked.place)
    from conversation c
    cross join unnest($3::text[]) with ordinality as asked (user_id, place)
    where c.key = $1 and c.epoch = $2 and c.deleted_at is null and ${mayAccess('c', 'reader', '$1', 'asked.user_id')}`,
}

/** Of those of the users who take part in the conversation and are not its owner: the first seq that each of them reads. */
export async function readFirstSeqs(
  on: Runner,
  { key, epoch }: Pick<Conversation, 'key' | 'epoch'>,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const [row] = await queryKey(on, selectFirst, key, [epoch, userIds])
  return new Map(JSON.parse((row?.[0] as string | null | undefined) ?? '[]'))
}

const selectFirst: Statement<'key'> = {
  name: 'taking-part-from',
  kind: 'key',
  text: `
    select json_agg(json_build_array(p.user_id, coalesce(p.history_from, 1)))
    from conversation c
    join participant p on p.conversation_key = $1 and p.epoch = $2 and p.ended_at is null and p.user_id = any($3::text[])
    where c.key = $1 and c.epoch = $2 and c.deleted_at is null`,
}

/** @throws NotPermitted if the viewer, who takes part in the conversation, may not write in it */
export async function requireWriter(on: Runner, conversation: Conversation, userId: string): Promise<void> {
  const part = await readPart(on, conversation, userId)
  if (part === null || !allows(part.role, 'writer')) throw new NotPermitted()
}
