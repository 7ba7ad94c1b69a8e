import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** The keys of the conversations of others in which a user takes part. */
export async function readOthersConversations(store: Store, userId: string): Promise<string[]> {
  const rows = await query(store.lone, select, [userId])
  return rows.map(([key]) => key as string)
}

const select: Statement<'user'> = {
  name: 'conversation-list-others',
  kind: 'user',
  text: 'select p.conversation_key from participant p where p.user_id = $1 and p.ended_at is null',
}
