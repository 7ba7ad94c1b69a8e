/** How a request names a conversation, and as whom: every statement about one carries all of it. */
export interface ConversationRef {
  /** The viewer. */
  readonly userId: string
  readonly key: string
  /** Only this life of it; null: the present one. */
  readonly epoch: number | null
  /** The owner's own id, where the request gave that; null: it can be found but not created. */
  readonly id: string | null
}

/** The condition of access, for `$1` the key, `$2` the viewer and `$3` the epoch or null. */
export function reachable(table: string): string {
  return (
    `${table}.key = $1 and ${table}.user_id = $2 and ${table}.deleted_at is null ` +
    `and ($3::bigint is null or ${table}.epoch = $3)`
  )
}
