/** How a request names a conversation, and for which viewer. Every statement about one conversation takes all of it. */
export interface ConversationRef {
  /** The viewer. */
  readonly userId: string
  readonly key: string
  /** The epoch that the request names; null: it names none, and finds the present epoch. */
  readonly epoch: number | null
  /**
   * The owner's own id of the conversation, if the request gave it. null: the request can find the conversation, but
   * not create it.
   */
  readonly id: string | null
}

/** The condition of access in SQL. `$1` is the key, `$2` the viewer, `$3` the epoch or null. */
export function reachable(table: string): string {
  return (
    `${table}.key = $1 and ${table}.user_id = $2 and ${table}.deleted_at is null ` +
    `and ($3::bigint is null or ${table}.epoch = $3)`
  )
}
