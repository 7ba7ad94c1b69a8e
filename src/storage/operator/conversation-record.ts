import { readable, toTimestamp } from '../../entities/timestamp.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { readTimestamp } from '../postgres/column.ts'
import { queryKey, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/* The statements of this room ask for no viewer: whoever calls them has seen that an operator asks. */

/** A conversation without a word of what was said in it. */
export interface StoredRecord {
  readonly key: string
  readonly epoch: number
  /** The owner. */
  readonly userId: string
  /** The owner's own id for it. */
  readonly id: string
  readonly lastSeq: number
  readonly revision: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly archivedAt: string | null
  readonly deletedAt: string | null
}

/** What a record counts beside its texts. */
const fixedBytes = 256

export const recordColumns = `
  octet_length(c.user_id) + octet_length(c.id) + ${fixedBytes} as own, c.key, c.epoch, c.user_id, c.id, c.last_seq, c.revision,
  ${readable('c.created_at')} as created_at, ${readable('c.updated_at')} as updated_at,
  ${readable('c.archived_at')} as archived_at, ${readable('c.deleted_at')} as deleted_at`

export const recordWidth = 10

/** @param at where `key` stands */
export function readRecord(row: Row, at: number): StoredRecord {
  const [key, epoch, userId, id, lastSeq, revision, createdAt, updatedAt, archivedAt, deletedAt] = row.slice(at)
  return {
    key: key as string,
    epoch: Number(epoch),
    userId: userId as string,
    id: id as string,
    lastSeq: lastSeq as number,
    revision: Number(revision),
    createdAt: toTimestamp(createdAt as string),
    updatedAt: toTimestamp(updatedAt as string),
    archivedAt: readTimestamp(archivedAt),
    deletedAt: readTimestamp(deletedAt),
  }
}

/** A conversation, whoever owns it, also as a tombstone; null: there is none. @param epoch null: the present one */
export async function findRecord(
  store: Store,
  budget: AnswerBudget,
  key: string,
  epoch: number | null,
): Promise<StoredRecord | null> {
  const [row] = await budget.spend(() => queryKey(store.lone, select, key, [epoch], budget))
  return row === undefined ? null : readRecord(row, 1)
}

const select: Statement<'key'> = {
  name: 'operator-conversation',
  kind: 'key',
  text: `select ${recordColumns} from conversation c where c.key = $1 and ($2::bigint is null or c.epoch = $2)`,
}
