import type { Config } from '../config.ts'
import { drawEpoch } from '../storage/conversation/conversation-key.ts'
import { query, queryKey, type Statement } from '../storage/postgres/statement.ts'
import { connect } from './connect.ts'
import { beginTransfer, endTransfer } from './transfers.ts'
import { type LoneDatabase, workAlone } from './work-alone.ts'

const batch = 1_000
/** No key is before it. */
const beforeAll = '00000000-0000-0000-0000-000000000000'

/**
 * Gives every conversation a new epoch, after PostgreSQL was taken back to an earlier time: what clients hold from after
 * that time must not name something else. A call that broke off is to be repeated.
 *
 * @param onProgress is told how many conversations were done so far
 * @returns how many conversations there are
 * @throws StartupError while servers run
 */
export async function renewEpochs(
  database: LoneDatabase,
  pool: Config['pool'],
  tell: (sentence: string) => void,
  onProgress: (conversations: number) => void = () => {},
): Promise<number> {
  return workAlone(database, pool, tell, async () => {
    await using client = await connect(database.directUrl)
    const { id } = await beginTransfer(client, 'renewal', null)
    await client.query('set synchronous_commit = off')
    let count = 0
    for (let last: string | undefined = beforeAll; last !== undefined; ) {
      const keys: string[] = (await query(client, selectKeys, [last, batch])).map(([key]) => key as string)
      // On Citus, the conversations of a transaction would be on several machines.
      if (!client.hasCitus) await client.query('begin')
      for (const key of keys) await queryKey(client, renew, key, [drawEpoch()])
      if (!client.hasCitus) await client.query('commit')
      count += keys.length
      last = keys.at(-1)
      onProgress(count)
    }
    await endTransfer(client, id)
    return count
  })
}

const selectKeys: Statement<'maintenance'> = {
  name: 'transfer-keys',
  kind: 'maintenance',
  text: 'select c.key from conversation c where c.key > $1 order by c.key limit $2',
}

const renew: Statement<'key'> = {
  name: 'transfer-renew-epoch',
  kind: 'key',
  text: `
    with read as (
      update read_marker k set epoch = $2 from conversation c
      where k.conversation_key = $1 and c.key = $1 and k.epoch = c.epoch
    ),
    waits as (
      update waiting w set epoch = $2 from conversation c
      where w.conversation_key = $1 and c.key = $1 and w.epoch = c.epoch
    ),
    renewed as (
      update participant p set epoch = $2 from conversation c
      where p.conversation_key = $1 and c.key = $1 and p.epoch = c.epoch
    )
    update conversation c set epoch = $2 where c.key = $1`,
}
