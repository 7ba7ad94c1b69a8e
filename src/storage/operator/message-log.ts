import type { AuthorKind, MessageRole, MessageStatus } from '../../entities/message/message-enums.ts'
import { readable, toTimestamp } from '../../entities/timestamp.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { readTimestamp } from '../postgres/column.ts'
import { queryKey, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** A row of the log without a word of what it says. */
export interface LoggedMessage {
  readonly seq: number
  /** null: it never changed. */
  readonly revision: number | null
  readonly role: MessageRole
  readonly status: MessageStatus
  /** null: the owner. */
  readonly authorId: string | null
  /** null: USER. */
  readonly authorKind: AuthorKind | null
  readonly authorName: string | null
  readonly size: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly editedAt: string | null
  readonly deletedAt: string | null
}

/** The newest messages of a conversation, the newest first. @param before a seq, exclusive; null: from the end */
export function readLog(
  store: Store,
  budget: AnswerBudget,
  key: string,
  before: number | null,
  count: number,
): Promise<LoggedMessage[]> {
  return read(store, budget, selectBySeq, key, [before ?? 2 ** 31 - 1, count])
}

/** Those that changed after they were appended, the last change first. @param before a revision, exclusive; null: from the end */
export function readChanged(
  store: Store,
  budget: AnswerBudget,
  key: string,
  before: number | null,
  count: number,
): Promise<LoggedMessage[]> {
  return read(store, budget, selectByRevision, key, [before ?? Number.MAX_SAFE_INTEGER, count])
}

async function read(
  store: Store,
  budget: AnswerBudget,
  statement: Statement<'key'>,
  key: string,
  values: unknown[],
): Promise<LoggedMessage[]> {
  const rows = await budget.spend(() => queryKey(store.lone, statement, key, values, budget))
  return rows.map(readLogged)
}

function readLogged(row: Row): LoggedMessage {
  const [, seq, revision, role, status, authorId, authorKind, authorName, size, ...times] = row
  const [createdAt, updatedAt, editedAt, deletedAt] = times
  return {
    seq: seq as number,
    revision: revision === null ? null : Number(revision),
    role: role as MessageRole,
    status: status as MessageStatus,
    authorId: authorId as string | null,
    authorKind: authorKind as AuthorKind | null,
    authorName: authorName as string | null,
    size: size as number,
    createdAt: toTimestamp(createdAt as string),
    updatedAt: toTimestamp(updatedAt as string),
    editedAt: readTimestamp(editedAt),
    deletedAt: readTimestamp(deletedAt),
  }
}

/** Both go down an index: the primary key, or that of revisions, which holds only messages that changed. */
function selectText(condition: string, order: string): string {
  return `
    select sum(coalesce(octet_length(m.author_id), 0) + coalesce(octet_length(m.author_name), 0) + 256)
        over (order by m.${order} desc) as bytes,
      m.seq, m.revision, m.role, m.status, m.author_id, m.author_kind, m.author_name, m.size, ${readable('m.created_at')},
      ${readable('m.updated_at')}, ${readable('m.edited_at')}, ${readable('m.deleted_at')}
    from (
      select * from message m where m.conversation_key = $1 and ${condition} order by m.${order} desc limit $3::int
    ) m
    order by m.${order} desc`
}

const selectBySeq: Statement<'key'> = {
  name: 'operator-log',
  kind: 'key',
  text: selectText('m.seq < $2::int', 'seq'),
}

const selectByRevision: Statement<'key'> = {
  name: 'operator-changed',
  kind: 'key',
  text: selectText('m.revision < $2::bigint', 'revision'),
}
