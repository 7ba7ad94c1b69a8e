import type { QuotaName } from '../../facts.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type ConversationRef, reachable } from './conversation-ref.ts'

/**
 * The user for whose quota it counts what is written to a conversation: its owner. If this viewer has no such
 * conversation, the viewer: the write finds that out. One statement; none for an id of the viewer's own, and none if there
 * are no such quotas.
 *
 * @param asked the quotas that the write asks
 */
export async function readPayer(
  { reads, quotas }: Store,
  { key, userId, epoch, id }: ConversationRef,
  ...asked: readonly QuotaName[]
): Promise<string> {
  if (id !== null || asked.every((name) => quotas[name] === null)) return userId
  const [row] = await queryKey(reads, select, key, [userId, epoch])
  return (row?.[0] as string | undefined) ?? userId
}

const select: Statement<'key'> = {
  name: 'conversation-owner',
  kind: 'key',
  text: `select c.user_id from conversation c where ${reachable('c')}`,
}
