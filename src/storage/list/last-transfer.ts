import type { Pool } from 'pg'
import { StartupError } from '../../errors.ts'
import { toMoment } from '../postgres/moment.ts'
import { query, type Statement } from '../postgres/statement.ts'

/**
 * When rows were last brought into the database, or taken back, in another way than by a server; 0: never. Whoever knows a
 * list from before cannot be told what changed: the times of these rows lie in the past, and rows that are gone have left
 * no tombstone. It happens only while no server runs.
 *
 * @throws StartupError while a restore has not ended: callers would make anew what is still to come
 */
export async function readLastTransfer(pool: Pool): Promise<number> {
  const [row] = await query(pool, select, [])
  if (row?.[1] === true) {
    throw new StartupError(
      'A restore into this database has not ended: run colloquy restore again with the same file, it goes on where it stopped',
    )
  }
  return Number(row?.[0] ?? 0)
}

const select: Statement<'maintenance'> = {
  name: 'transfer-last',
  kind: 'maintenance',
  text: `select ${toMoment('max(t.began_at)')}, bool_or(t.kind = 'restore' and t.ended_at is null) from transfer t`,
}
