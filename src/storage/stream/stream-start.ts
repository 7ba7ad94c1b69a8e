import type { PoolClient } from 'pg'
import type { Message } from '../../entities/message.ts'
import { type Append, type Appended, appendMessages } from '../append/append.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

export interface Started extends Appended {
  /** The message that streams or has streamed: the last of `messages`. */
  readonly message: Message
  /** The attempt that writes to the message now; 0 if it streams no more. */
  readonly attempt: number
}

/**
 * Appends messages in one transaction; the last of them streams. A retry with the client id of the last one is a
 * replay.
 *
 * @throws as `appendMessages`
 */
export async function startMessage(
  store: Store,
  append: Omit<Append, 'alsoStore' | 'onExisting'>,
  timeoutSeconds: number,
): Promise<Started> {
  let attempt = 0
  const appended = await appendMessages(store, {
    ...append,
    onExisting: 'FAIL',
    alsoStore: async (client, { conversation, messages }) => {
      const seq = (messages.at(-1) as Message).seq
      attempt = await openStream(client, conversation.key, seq, timeoutSeconds)
    },
  })
  return { ...appended, message: appended.messages.at(-1) as Message, attempt }
}

/**
 * A new stream begins with attempt 1. A stream that exists stays as it is. A stream that ended does not begin again.
 */
async function openStream(client: PoolClient, key: string, seq: number, timeoutSeconds: number): Promise<number> {
  await query(client, open, [key, seq, timeoutSeconds])
  const [row] = await query(client, selectAttempt, [key, seq])
  return row === undefined ? 0 : (row[0] as number)
}

const open: Statement = {
  name: 'stream-open',
  text: `
    insert into message_stream (conversation_key, seq, attempt, next_chunk, size, timeout_seconds, expires_at)
    select conversation_key, seq, 1, 0, 0, $3::int, clock_timestamp() + make_interval(secs => $3::int) from message
    where conversation_key = $1 and seq = $2 and status = 'STREAMING'
    on conflict (conversation_key, seq) do nothing`,
}

const selectAttempt: Statement = {
  name: 'stream-attempt',
  text: 'select attempt from message_stream where conversation_key = $1 and seq = $2',
}
