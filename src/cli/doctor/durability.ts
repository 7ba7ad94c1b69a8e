import { escapeIdentifier } from 'pg'
import type { Examined, Found } from './finding.ts'

/** Whether what was answered stays stored when PostgreSQL or its machine crashes. */
export async function checkDurability({ client }: Examined): Promise<Found> {
  const { rows } = await client.query<{ name: string; setting: string; role: string }>(
    `select name, setting, session_user as role from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`,
  )
  const role = escapeIdentifier(rows[0]?.role ?? '')
  const faults: Readonly<Record<string, string>> = {
    fsync:
      'fsync is off: when the machine crashes, the database may be lost as a whole; run ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();',
    full_page_writes:
      'full_page_writes is off: when the machine crashes, pages may be written by half; run ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();',
    synchronous_commit: `synchronous_commit is off: what was answered may be lost when PostgreSQL crashes; run ALTER ROLE ${role} SET synchronous_commit = on; and start the servers again`,
  }
  return {
    good: `${rows.map(({ name, setting }) => `${name} = ${setting}`).join(', ')}: what was answered is on the disk.`,
    wrong: rows.filter(({ setting }) => setting === 'off').map(({ name }) => faults[name] as string),
  }
}
