import type { Message } from '../../entities/message/message.ts'
import { type Append, type Appended, appendMessages } from '../append/append.ts'
import { appendWithin } from '../append/append-within.ts'
import { within } from '../postgres/quota.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
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
 * @throws as `appendMessages`, and QuotaExceeded
 */
export async function startMessage(
  store: Store,
  append: Omit<Append, 'alsoStore' | 'requireRoom' | 'onExisting'>,
  timeoutSeconds: number,
): Promise<Started> {
  const { streams } = store.quotas
  return appendWithin(store, { ...append, onExisting: 'FAIL' }, (asked, payer) =>
    within(streams, payer, 1, (room) => {
      const requireRoom: Append['requireRoom'] = (bytes, fresh) => {
        if (fresh.some(({ status }) => status === 'STREAMING')) room.require(1)
        asked.requireRoom?.(bytes, fresh)
      }
      return open(store, { ...asked, requireRoom }, timeoutSeconds)
    }),
  )
}

async function open(store: Store, append: Append, timeoutSeconds: number): Promise<Started> {
  let attempt = 0
  const appended = await appendMessages(store, {
    ...append,
    alsoStore: async (client, { conversation, messages, replayed }) => {
      const { seq } = messages.at(-1) as Message
      const [row] =
        replayed.at(-1) === true
          ? await queryKey(client, selectAttempt, conversation.key, [seq])
          : await queryKey(client, insert, conversation.key, [seq, timeoutSeconds])
      attempt = Number(row?.[0] ?? 0)
    },
  })
  return { ...appended, message: appended.messages.at(-1) as Message, attempt }
}

/** The timeout begins with the statement, because the transaction may have waited for the conversation. */
const insert: Statement<'key'> = {
  name: 'stream-open',
  kind: 'key',
  text: `
    insert into message_stream (conversation_key, seq, attempt, next_chunk, size, timeout_seconds, expires_at)
    values ($1, $2, 1, 0, 0, $3::int, statement_timestamp() + make_interval(secs => $3::int))
    returning attempt`,
}

/** No row: the stream has ended. */
const selectAttempt: Statement<'key'> = {
  name: 'stream-attempt',
  kind: 'key',
  text: 'select attempt from message_stream where conversation_key = $1 and seq = $2',
}
