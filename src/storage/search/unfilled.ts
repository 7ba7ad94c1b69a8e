import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

const page = 1_000

/**
 * The conversations whose words are behind, wherever a server left them: those among the next thousand by key.
 *
 * @param after the key behind which to look; the first key of all is after `firstKey`
 */
export async function readUnfilled(
  store: Store,
  after: string,
): Promise<{ readonly keys: readonly string[]; readonly last: string | null }> {
  const rows = await query(store.pool, select, [after, page])
  const keys = rows.filter(([, isBehind]) => isBehind === true).map(([key]) => key as string)
  return { keys, last: rows.length < page ? null : (rows.at(-1)?.[0] as string) }
}

export const firstKey = '00000000-0000-0000-0000-000000000000'

const select: Statement<'maintenance'> = {
  name: 'words-unfilled',
  kind: 'maintenance',
  text: `
    select c.key,
      case when c.deleted_at is not null then w.conversation_key is not null
        when c.is_searchable then c.last_seq > 0 and
          (w.conversation_key is null or w.epoch <> c.epoch or w.seq < c.last_seq or w.revision < c.revision)
        else w.seq > 0 end
    from conversation c left join conversation_words w on w.conversation_key = c.key
    where c.key > $1 order by c.key limit $2`,
}
