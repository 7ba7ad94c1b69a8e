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

/**
 * Who may do something with a conversation. `reader`: whoever takes part in it. `writer`: its owner and its members.
 * `owner`: its owner alone.
 */
export type Access = 'reader' | 'writer' | 'owner'

/** The condition of access in SQL. `$1` is the key, `$2` the viewer, `$3` the epoch or null. */
export function reachable(table: string, access: Access = 'reader'): string {
  return (
    `${table}.key = $1 and ${mayAccess(table, access)} and ${table}.deleted_at is null ` +
    `and ($3::bigint is null or ${table}.epoch = $3)`
  )
}

/**
 * Whether a user may do something with a conversation that is found already. For its owner nothing more is read.
 *
 * @param key of the conversation, and `user`, in SQL
 */
export function mayAccess(table: string, access: Access, key = '$1', user = '$2'): string {
  const isOwner = `${table}.user_id = ${user}`
  if (access === 'owner') return isOwner
  const isMember = access === 'writer' ? `and p.role = 'MEMBER'` : ''
  return `(${isOwner} or exists (
    select from participant p
    where p.conversation_key = ${key} and p.user_id = ${user} and p.epoch = ${table}.epoch and p.ended_at is null ${isMember}
  ))`
}
