import type { Awaiting } from '../../database/reads/lone-reads.ts'
import type { Conversation } from '../../entities/conversation.ts'
import type { TokenEncoding } from '../../entities/window-enums.ts'
import { onPath, type Range, rangeArrays } from '../branch/path.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { isVisible } from './message-history.ts'
import { isCountOf } from './token-counts.ts'

/** How many messages of a path are not deleted; 0 if this viewer has no such conversation. */
export async function countUndeleted(
  store: Store,
  { key, epoch }: Conversation,
  path: readonly Range[],
  userId: string,
  awaiting: Awaiting,
): Promise<number> {
  const last = endOfLog(path)
  const [row] =
    last === null
      ? await queryKey(store.lone, selectPathCount, key, [userId, epoch, ...rangeArrays(path)], awaiting)
      : await queryKey(store.lone, selectCount, key, [userId, epoch, last], awaiting)
  return Number(row?.[0] ?? 0)
}

/** How many tokens the messages of a path have, without streaming ones; null while one of them is not counted. */
export async function sumTokens(
  store: Store,
  { key, epoch }: Conversation,
  path: readonly Range[],
  userId: string,
  encoding: TokenEncoding,
  awaiting: Awaiting,
): Promise<number | null> {
  const last = endOfLog(path)
  const [row] =
    last === null
      ? await queryKey(store.lone, selectPathSum, key, [userId, epoch, encoding, ...rangeArrays(path)], awaiting)
      : await queryKey(store.lone, selectSum, key, [userId, epoch, encoding, last], awaiting)
  return row === undefined || row[0] === null ? null : Number(row[0])
}

/** The seq up to which the path is the whole log; null: it is not. For the log, a count is read in half the time. */
function endOfLog([only, another]: readonly Range[]): number | null {
  return only?.low === 1 && another === undefined ? only.high : null
}

/**
 * Seqs have no gaps, and deleted messages keep theirs. So the statement looks only at messages that were ever changed.
 */
const selectCount: Statement<'key'> = {
  name: 'window-undeleted',
  kind: 'key',
  text: `
    select $4::int - (
      select count(*) from message m
      where m.conversation_key = $1 and m.revision is not null and m.deleted_at is not null and m.seq <= $4
    )
    from conversation c where ${reachable('c')}`,
}

const selectPathCount: Statement<'key'> = {
  name: 'window-path-undeleted',
  kind: 'key',
  text: `
    select count(*) from conversation c cross join ${onPath('$4', '$5', 'm.deleted_at is null', 'asc')} where ${reachable('c')}`,
}

/** The statement first looks for a message that is not counted. In most cases it is the oldest one. */
function selectTokens(name: string, said: string): Statement<'key'> {
  const isOfIt = `${isCountOf('k', 'm')} and k.encoding = $4`
  return {
    name,
    kind: 'key',
    text: `
      select case when not exists (
        select from ${said} where not exists (select from message_token_count k where ${isOfIt})
      ) then (
        select coalesce(sum(k.tokens), 0) from ${said} join message_token_count k on ${isOfIt}
      ) end
      from conversation c where ${reachable('c')}`,
  }
}

const selectSum = selectTokens(
  'window-tokens',
  `(select * from message m where m.conversation_key = $1 and m.seq <= $5 and ${isVisible('m')}) m`,
)

const selectPathSum = selectTokens('window-path-tokens', onPath('$5', '$6', isVisible('m'), 'asc'))
