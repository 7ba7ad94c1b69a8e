import type { PoolClient } from 'pg'
import type { Message } from '../../entities/message/message.ts'
import type { MessageStatus } from '../../entities/message/message-enums.ts'
import type { MessageError } from '../../entities/message/message-error.ts'
import { AttemptOver, ChunkExpected, MessageMissing, NotStreaming } from '../../facts.ts'
import { unmoved, type Written } from '../conversation/commit.ts'
import { changeOne, type MessageRef, movingOne, refOf } from '../message/edit.ts'
import type { GivenMessage } from '../message/given-message.ts'
import { type CheckMessage, completedMessage } from '../message/message-change.ts'
import { completedColumns, type WrittenBy } from '../message/message-columns.ts'
import { parametersOf, valuesOf } from '../message/message-values.ts'
import { assignmentsOf, changing, readRewritten } from '../message/rewrite.ts'
import { free } from '../postgres/quota.ts'
import { query, queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { seen } from './stream-text.ts'

/** How a producer ends a stream. */
export interface Completion {
  readonly attempt: number
  /** How many chunks the stream had. */
  readonly chunks: number
  readonly status: Exclude<MessageStatus, 'STREAMING'>
  readonly error: MessageError | null
  /** Tells this completion from another one. */
  readonly hash: Buffer
  /** What the completion gives of the message. If it gives no content, the text of the chunks is the content. */
  readonly given: GivenMessage
  readonly check: CheckMessage
}

/**
 * Ends a stream. Its chunks become the content, unless the completion gives one. The same completion again is a replay.
 *
 * @throws MessageMissing, ChunkExpected, AttemptOver, NotStreaming, and what `check` throws
 */
export async function completeMessage(
  store: Store,
  ref: MessageRef,
  completion: Completion,
): Promise<{ message: Message; replayed: boolean }> {
  let replayed = false
  const message = await changeOne(store, ref, 'any', async (client, stored) => {
    if (stored.deletedAt !== null) throw new MessageMissing()
    const [stream] = await queryKey(client, lockStream, stored.conversation.key, [stored.seq])
    if (stream === undefined) {
      const [row] = await queryKey(client, selectCompletion, stored.conversation.key, [stored.seq])
      if (!completion.hash.equals((row?.[0] as Buffer | null) ?? Buffer.alloc(0))) throw new NotStreaming()
      replayed = true
      return unmoved(stored)
    }
    const [attempt, nextChunk] = stream as [number, number]
    if (attempt !== completion.attempt) throw new AttemptOver(attempt)
    if (completion.chunks !== nextChunk) throw new ChunkExpected(nextChunk)
    const { given, status, check, error, hash } = completion
    const message = completedMessage(await withText(client, stored), given, status, check)
    return finish(client, stored, { ...message, status, error, completionHash: hash })
  })
  // Most of it was counted as its text came; how much, a look says.
  const payer = message.conversation.userId
  if (!replayed) store.quotas.bytes?.add(payer, message.size)
  free(store.quotas, payer)
  return { message, replayed }
}

/**
 * Reads the text again under the lock of the stream: a chunk may have come between the read of the message and the
 * lock.
 */
async function withText(client: PoolClient, message: Message): Promise<Message> {
  const [row] = await queryKey(client, selectText, message.conversation.key, [message.seq])
  message.content = (row?.[0] as string | null) ?? null
  return message
}

const selectText: Statement<'key'> = {
  name: 'stream-text',
  kind: 'key',
  text: `
    select string_agg(text, '' order by chunk) from message_chunk where conversation_key = $1 and seq = $2`,
}

type Completed = Pick<Message, WrittenBy<'append' | 'completion'>>

async function finish(
  client: PoolClient,
  { conversation, seq }: Message,
  completed: Completed,
): Promise<Written<Message>> {
  const values = [1, seq, ...valuesOf(completedColumns, completed)]
  return movingOne(readRewritten(await queryKey(client, complete, conversation.key, values)))
}

const complete: Statement<'key'> = {
  name: 'stream-complete',
  kind: 'key',
  text: changing(
    `select 1 as n, $3::int as seq, ${parametersOf(completedColumns, 4)}`,
    assignmentsOf(completedColumns),
    'delete from message_stream s using input where s.conversation_key = $1 and s.seq = input.seq',
    'delete from message_chunk k using input where k.conversation_key = $1 and k.seq = input.seq',
  ),
}

const lockStream: Statement<'key'> = {
  name: 'stream-lock',
  kind: 'key',
  text: 'select attempt, next_chunk from message_stream where conversation_key = $1 and seq = $2 for update',
}

const selectCompletion: Statement<'key'> = {
  name: 'stream-completion',
  kind: 'key',
  text: 'select completion_hash from message where conversation_key = $1 and seq = $2',
}

/** Asks the producer to stop. Asking again changes nothing. @throws MessageMissing, NotStreaming */
export async function stopMessage(store: Store, ref: MessageRef): Promise<Message> {
  return changeOne(store, ref, 'any', async (client, message) => {
    if (message.deletedAt !== null) throw new MessageMissing()
    if (message.stopRequestedAt !== null) return unmoved(message)
    if (message.status !== 'STREAMING') throw new NotStreaming()
    return movingOne(readRewritten(await queryKey(client, stop, message.conversation.key, [1, message.seq])))
  })
}

const stop: Statement<'key'> = {
  name: 'stream-stop',
  kind: 'key',
  text: changing('select 1 as n, $3::int as seq', 'stop_requested_at = moved.updated_at'),
}

/**
 * Takes a stream over: from now on only the new attempt writes to it.
 *
 * @param chunks how many it has to have; null: any number
 * @throws MessageMissing, NotStreaming, ChunkExpected
 */
export async function resumeMessage(
  store: Store,
  ref: MessageRef,
  chunks: number | null,
): Promise<{ message: Message; attempt: number }> {
  let attempt = 0
  const message = await changeOne(store, ref, 'any', async (client, stored) => {
    if (stored.deletedAt !== null) throw new MessageMissing()
    // The timeout begins with the statement after the lock.
    const [stream] = await queryKey(client, lockStream, stored.conversation.key, [stored.seq])
    if (stream === undefined) throw new NotStreaming()
    const [current, nextChunk] = stream as [number, number]
    if (chunks !== null && chunks !== nextChunk) throw new ChunkExpected(nextChunk)
    attempt = current + 1
    await queryKey(client, resume, stored.conversation.key, [stored.seq, attempt])
    return unmoved(Object.assign(await withText(client, stored), { nextChunk }))
  })
  return { message, attempt }
}

const resume: Statement<'key'> = {
  name: 'stream-resume',
  kind: 'key',
  text: `
    update message_stream s set attempt = $3, ${seen} where s.conversation_key = $1 and s.seq = $2`,
}

/** At most `count` streams whose producer gave no sign of life within its timeout, by the database's clock. */
export async function readExpired(store: Store, count: number): Promise<MessageRef[]> {
  const rows = await query(store.pool, selectExpired, [count])
  return rows.map(([userId, key, epoch, seq]) =>
    refOf(userId as string, { key: key as string, epoch: Number(epoch), seq: seq as number }),
  )
}

const selectExpired: Statement<'maintenance'> = {
  name: 'stream-expired',
  kind: 'maintenance',
  text: `
    select c.user_id, c.key, c.epoch, s.seq
    from message_stream s join conversation c on c.key = s.conversation_key and c.deleted_at is null
    where s.expires_at < now() order by s.expires_at limit $1`,
}

/** Fails the stream if it is still expired under the lock of its conversation. */
export async function failExpired(store: Store, ref: MessageRef): Promise<void> {
  await changeOne(store, ref, 'any', async (client, message) => {
    const [row] = await queryKey(client, lockExpired, message.conversation.key, [message.seq])
    // Another server was quicker, or the producer lives again.
    if (row === undefined) return unmoved(message)
    const { content } = await withText(client, message)
    return finish(client, message, {
      ...message,
      size: message.size + Buffer.byteLength(content ?? ''),
      status: 'FAILED',
      error: { code: 'PRODUCER_GONE', message: 'Its producer gave no sign of life.' },
      payloadHash: null,
      // A hash that no producer's completion has.
      completionHash: Buffer.of(0),
    })
  })
  free(store.quotas, ref.conversation.userId)
}

/** It is an update because Citus takes the time of an update from one machine, and that of a query from each. */
const lockExpired: Statement<'key'> = {
  name: 'stream-lock-expired',
  kind: 'key',
  text: `
    update message_stream set attempt = attempt
    where conversation_key = $1 and seq = $2 and expires_at < now() returning attempt`,
}
