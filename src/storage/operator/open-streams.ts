import { readable, toTimestamp } from '../../entities/timestamp.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readRecord, recordColumns, recordWidth, type StoredRecord } from './conversation-record.ts'

/** A message that is still being written. */
export interface StoredStream {
  readonly conversation: StoredRecord
  readonly seq: number
  readonly attempt: number
  readonly chunks: number
  /** UTF-8 bytes of all chunks. */
  readonly bytes: number
  readonly startedAt: string
  readonly lastSignAt: string
  readonly expiresAt: string
  /** Whether its producer gave no sign of life for longer than it may, by the database's clock. */
  readonly isOverdue: boolean
}

/** Of all conversations: those that expire first. */
export async function readOpenStreams(store: Store, budget: AnswerBudget, count: number): Promise<StoredStream[]> {
  const rows = await budget.spend(() => query(store.lone, select, [count], budget))
  return rows.map(toStream)
}

function toStream(row: Row): StoredStream {
  const [seq, attempt, chunks, bytes, startedAt, lastSignAt, expiresAt, isOverdue] = row.slice(streamAt)
  return {
    conversation: readRecord(row, 2),
    seq: seq as number,
    attempt: attempt as number,
    chunks: chunks as number,
    bytes: bytes as number,
    startedAt: toTimestamp(startedAt as string),
    lastSignAt: toTimestamp(lastSignAt as string),
    expiresAt: toTimestamp(expiresAt as string),
    isOverdue: isOverdue as boolean,
  }
}

const streamAt = 2 + recordWidth

/** It goes down the index of `expires_at`, and looks at the rows of two tables for each stream that it answers. */
const select: Statement<'maintenance'> = {
  name: 'operator-streams',
  kind: 'maintenance',
  text: `
    select sum(own) over (order by expires_at, key, seq), found.*
    from (
      select ${recordColumns}, s.seq, s.attempt, s.next_chunk, s.size, ${readable('m.created_at')} as started_at,
        ${readable('(s.expires_at - make_interval(secs => s.timeout_seconds))')} as last_sign_at,
        ${readable('s.expires_at')} as expires_at, s.expires_at < now() as is_overdue
      from message_stream s
      join conversation c on c.key = s.conversation_key and c.deleted_at is null
      join message m on m.conversation_key = s.conversation_key and m.seq = s.seq
      order by s.expires_at limit $1::int
    ) found
    order by expires_at, key, seq`,
}
