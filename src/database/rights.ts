import type { ClientBase } from 'pg'
import { StartupError } from '../errors.ts'

/**
 * A role that may not write would be noticed by the first caller who does.
 *
 * @param name the setting that names the database
 * @throws StartupError
 */
export async function requireRights(client: ClientBase, tables: readonly string[], name: string): Promise<void> {
  const { rows } = await client.query<{ missing: string }>(
    `select format('%s on %s', string_agg(privilege, ', '), t.oid::regclass) as missing
     from pg_class t, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as privilege
     where t.relnamespace = current_schema()::regnamespace and t.relkind = 'r'
       and t.relname = any($1) and not has_table_privilege(t.oid, privilege)
     group by t.oid order by t.oid::regclass::text limit 1`,
    [tables],
  )
  const [right] = rows
  if (right !== undefined) {
    throw new StartupError(
      `The role of ${name} has no right to ${right.missing}; GRANT it, or use the role that owns the tables`,
    )
  }
}
