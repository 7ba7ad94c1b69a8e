/**
 * Which conversations a viewer may search, in SQL: all that the viewer may read, whoever owns them. `$1` is the viewer.
 */
export function searchable(table: string): string {
  return `${table}.user_id = $1 and ${table}.deleted_at is null and ${table}.is_searchable`
}

/** The owners of those conversations. Words are looked for in the scope of each. */
export function ownersFor(userId: string): readonly string[] {
  return [userId]
}
