import { randomUUID } from 'node:crypto'
import type { ClientBase } from 'pg'
import type { Transfer } from '../entities/transfer.ts'
import { StartupError } from '../errors.ts'

/**
 * Notes that a transfer begins. One that broke off, of the same kind and file, begins again.
 *
 * @returns its id
 * @throws StartupError while a restore of another file has not ended
 */
export async function beginTransfer(
  client: ClientBase,
  kind: Transfer['kind'],
  sha256: string | null,
): Promise<{ id: string; isNew: boolean }> {
  const open = await client.query<Pick<Transfer, 'id' | 'kind' | 'sha256'>>(
    'select id, kind, sha256 from transfer where ended_at is null',
  )
  const same = open.rows.find((row) => row.kind === kind && row.sha256 === sha256)
  if (open.rows.some((row) => row.kind === 'restore' && row !== same)) {
    throw new StartupError(
      'A restore of another file into this database has not ended: run that one again, or begin with an empty database',
    )
  }
  const id = same?.id ?? randomUUID()
  await client.query(
    `insert into transfer (id, kind, sha256, began_at) values ($1, $2, $3, now())
     on conflict (id) do update set began_at = excluded.began_at`,
    [id, kind, sha256],
  )
  return { id, isNew: same === undefined }
}

/** What was written before is on the disk when this is answered, also what did not wait for it. */
export async function endTransfer(client: ClientBase, id: string): Promise<void> {
  await client.query('set synchronous_commit = on')
  await client.query('update transfer set ended_at = now() where id = $1', [id])
}
