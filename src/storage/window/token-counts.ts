import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import type { TokenEncoding } from '../../entities/window-enums.ts'
import { commit, inTransaction, unmoved } from '../conversation/commit.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** How many tokens a message has in its present state. Its reasoning is counted apart. */
export interface TokenCount {
  readonly message: Message
  readonly tokens: number
  readonly reasoningTokens: number
}

/**
 * Stores the counts of messages of one conversation. A message that was changed or deleted meanwhile is left out. A
 * count that another server stored stays, unless it is of an earlier revision.
 */
export async function storeTokenCounts(
  store: Store,
  { key, epoch }: Conversation,
  userId: string,
  encoding: TokenEncoding,
  counts: readonly TokenCount[],
): Promise<void> {
  const values = [
    userId,
    epoch,
    encoding,
    counts.map(({ message }) => message.seq),
    counts.map(({ message }) => message.revision ?? 0),
    counts.map(({ tokens }) => tokens),
    counts.map(({ reasoningTokens }) => reasoningTokens),
  ]
  await commit(
    store,
    inTransaction(async (client) => {
      // Counts that a crash loses are counted again.
      await client.query('set local synchronous_commit = off')
      await queryKey(client, upsert, key, values)
      return unmoved(undefined)
    }),
  )
}

/**
 * The statement waits only for locks of other servers' counts, and those are taken in the same order: it skips messages
 * that are being erased. Each message is looked up by its seq, as in a page of a window.
 */
const upsert: Statement<'key'> = {
  name: 'token-counts-upsert',
  kind: 'key',
  text: `
    insert into message_token_count (conversation_key, seq, encoding, revision, tokens, reasoning_tokens)
    select m.conversation_key, m.seq, $4, asked.revision, asked.tokens, asked.reasoning_tokens
    from conversation c
    cross join unnest($5::int[], $6::bigint[], $7::int[], $8::int[]) as asked(seq, revision, tokens, reasoning_tokens)
    cross join lateral (
      select m.conversation_key, m.seq from message m
      where m.conversation_key = $1 and m.seq = asked.seq and coalesce(m.revision, 0) = asked.revision
      limit 1 for key share skip locked
    ) m
    where ${reachable('c')}
    order by m.seq
    on conflict (conversation_key, seq, encoding) do update set
      revision = excluded.revision, tokens = excluded.tokens, reasoning_tokens = excluded.reasoning_tokens
    where message_token_count.revision < excluded.revision`,
}

/**
 * A count belongs to a message only while the message has the revision of the count. `$1` is the key of the
 * conversation.
 */
export const isCountOf = (count: string, message: string) =>
  `${count}.conversation_key = $1 and ${count}.seq = ${message}.seq
   and ${count}.revision = coalesce(${message}.revision, 0)`
