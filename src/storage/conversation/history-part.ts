import type { Statement } from '../postgres/statement.ts'

/**
 * The first seq that a user reads in a conversation. An owner has no row, and reads from 1 on.
 *
 * @param key of the conversation, and `user`, in SQL
 */
export function firstSeqOf(key = '$1', user = '$2'): string {
  return `coalesce((
    select p.history_from from participant p
    where p.conversation_key = ${key} and p.user_id = ${user} and p.ended_at is null
  ), 1)`
}

/** Whether somebody who may access a conversation reads the message at a seq. For its owner nothing more is read. */
export function readsAt(table: string, seq: string, key = '$1', user = '$2'): string {
  return `(${table}.user_id = ${user} or ${seq} >= ${firstSeqOf(key, user)})`
}

/** A statement that reads messages of one conversation. `$2` is the viewer. */
export interface ByViewer {
  /** For the owner. */
  readonly whole: Statement<'key'>
  /**
   * For whoever else takes part, and for a viewer of whom it is not known: no message before the viewer's first one is
   * there. It looks that one up in its own snapshot, so nothing is read by what the viewer was allowed a moment before.
   */
  readonly part: Statement<'key'>
}

export function byViewer(whole: Statement<'key'>): ByViewer {
  return { whole, part: inPart(whole) }
}

/** In this statement, `message` is only what its viewer reads of that table: a name of `with` hides the table. */
export function inPart({ name, kind, text }: Statement<'key'>): Statement<'key'> {
  const part = `message as not materialized (
      select * from message m where m.conversation_key = $1 and m.seq >= ${firstSeqOf()}
    )`
  const begins = /^\s*with (?!recursive)/
  const rest = begins.test(text) ? text.replace(begins, ', ') : text
  return { name: `${name}-part`, kind, text: `with ${part}${rest}` }
}

/** @param ownerId the conversation's owner; null: it is not known */
export function statementFor({ whole, part }: ByViewer, viewerId: string, ownerId: string | null): Statement<'key'> {
  return viewerId === ownerId ? whole : part
}
