import { participants, theirs } from '../list/list-statement.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** The conversations that the viewer `$1` may search, as the table `c`: all that it may read, whoever owns them. */
export const searchable = `
  (${theirs.map((from) => `select c.* ${from}`).join(' union all ')}) c where c.deleted_at is null and c.is_searchable`

/** The owners of those conversations. Words are looked for in the scope of each. */
export async function readOwners(store: Store, userId: string): Promise<readonly string[]> {
  const rows = await query(store.lone, select, [userId])
  return [userId, ...rows.map(([owner]) => owner as string)]
}

const select: Statement<'user'> = {
  name: 'search-owners',
  kind: 'user',
  text: `select distinct c.user_id ${participants} where p.user_id = $1 and p.ended_at is null`,
}
