import type { PoolClient } from 'pg'
import type { Place } from '../../entities/ids/place.ts'
import { AttemptOver, ChunkExpected, MessageMissing, NotPermitted, NotStreaming, TextTooLarge } from '../../facts.ts'
import { commit, inTransaction } from '../conversation/commit.ts'
import { type Access, mayAccess, reachable } from '../conversation/conversation-ref.ts'
import { readsAt } from '../conversation/history-part.ts'
import { writeJson } from '../postgres/column.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import { type Moved, type Store, textHint } from '../postgres/store.ts'

/** A stream, as its producer names it. */
export interface StreamRef {
  readonly userId: string
  readonly place: Place
  readonly attempt: number
}

export interface NewChunk extends StreamRef {
  readonly number: number
  readonly text: string
  /** A JSON value; undefined: none. */
  readonly data: unknown
  /** UTF-8 bytes of text and data. */
  readonly size: number
}

/** The state of a stream in the database. */
export interface StreamState {
  readonly nextChunk: number
  /** UTF-8 bytes of the message and its chunks. */
  readonly size: number
  readonly stopRequested: boolean
}

/**
 * Adds to a stream the chunks that follow its stored ones, and answers its state afterwards. Every call is a sign of
 * life of the producer, also a call without chunks. A chunk that is stored already is not added again. A chunk is left
 * out if it comes after a gap, or if it would make the message larger than `maxSize` bytes: `requireAdded` says which.
 *
 * Three short statements, because Citus inserts from a changing statement only by way of a second machine.
 *
 * @throws MessageMissing, NotPermitted, NotStreaming, AttemptOver
 */
export async function addChunks(
  store: Store,
  stream: StreamRef,
  chunks: readonly NewChunk[],
  maxSize: number,
): Promise<StreamState> {
  const { key, seq } = stream.place
  return commit(
    store,
    inTransaction(async (client) => {
      const { nextChunk, size, stopRequested } = await lockStream(client, stream)
      const added = following(chunks, nextChunk, maxSize - size)
      if (added.length > 0) await queryKey(client, insert, key, [seq, ...textsOf(added)])
      await queryKey(client, move, key, [seq, added.length, sizeOf(added)])
      const result = { nextChunk: nextChunk + added.length, size: size + sizeOf(added), stopRequested }
      return { result, moved: added.length > 0 ? [hintOf(stream)] : [] }
    }),
  )
}

/** Waits until no other transaction holds the stream. @throws MessageMissing, NotPermitted, NotStreaming, AttemptOver */
async function lockStream(client: PoolClient, { userId, place, attempt }: StreamRef): Promise<StreamState> {
  const named = [userId, place.epoch, place.seq]
  const [row] = await queryKey(client, lock, place.key, named)
  if (row === undefined) {
    const [message] = await queryKey(client, selectMessage, place.key, named)
    if (message === undefined) throw new MessageMissing()
    throw message[0] === true ? new NotStreaming() : new NotPermitted()
  }
  const [current, nextChunk, size, stopRequested] = row as [number, number, number, boolean]
  if (current !== attempt) throw new AttemptOver(current)
  return { nextChunk, size, stopRequested }
}

const reached = (access: Access) => `
  ${reachable('c', access)} and ${readsAt('c', '$4')}
  and m.conversation_key = $1 and m.seq = $4 and m.deleted_at is null`

/**
 * The stop request is in the message's row, so a producer learns of it with its next chunk, without a request of its
 * own.
 */
const lock: Statement<'key'> = {
  name: 'stream-lock-text',
  kind: 'key',
  text: `
    select s.attempt, s.next_chunk, m.size + s.size, m.stop_requested_at is not null
    from conversation c, message m, message_stream s
    where ${reached('writer')} and s.conversation_key = $1 and s.seq = $4
    for update of s`,
}

const selectMessage: Statement<'key'> = {
  name: 'stream-message',
  kind: 'key',
  text: `select ${mayAccess('c', 'writer')} from conversation c, message m where ${reached('reader')}`,
}

const insert: Statement<'key'> = {
  name: 'stream-insert',
  kind: 'key',
  text: `
    insert into message_chunk (conversation_key, seq, chunk, text, data)
    select s.conversation_key, s.seq, s.next_chunk + added.n - 1, added.text, added.data::json
    from message_stream s, unnest($3::text[], $4::text[]) with ordinality as added(text, data, n)
    where s.conversation_key = $1 and s.seq = $2`,
}

/**
 * A sign of life of the producer: the timeout begins anew. It begins with the statement and not with the transaction,
 * because the transaction may have waited for the lock longer than the timeout is.
 */
export const seen = `
  expires_at = ((statement_timestamp() at time zone 'UTC') + make_interval(secs => s.timeout_seconds)) at time zone 'UTC'`

const move: Statement<'key'> = {
  name: 'stream-move',
  kind: 'key',
  text: `
    update message_stream s set next_chunk = s.next_chunk + $3, size = s.size + $4, ${seen}
    where s.conversation_key = $1 and s.seq = $2`,
}

/** The chunks that follow one another from a number on, as many as have at most `room` bytes together. */
export function following(chunks: readonly NewChunk[], first: number, room: number): NewChunk[] {
  const found: NewChunk[] = []
  let left = room
  for (const chunk of chunks.toSorted((a, b) => a.number - b.number)) {
    // It is a repeat, or a chunk before it is missing.
    if (chunk.number !== first + found.length) continue
    left -= chunk.size
    if (left < 0) break
    found.push(chunk)
  }
  return found
}

/** Two columns of a statement that inserts chunks. */
export function textsOf(chunks: readonly NewChunk[]): [texts: string[], data: (string | null)[]] {
  return [chunks.map(({ text }) => text), chunks.map(({ data }) => writeJson(data))]
}

export function sizeOf(chunks: readonly NewChunk[]): number {
  return chunks.reduce((sum, { size }) => sum + size, 0)
}

export function hintOf({ place }: StreamRef): Moved {
  return { key: place.key, revision: textHint }
}

/**
 * Throws unless a chunk is stored in its stream. @param state after the call that was to add it
 *
 * @throws ChunkExpected, TextTooLarge
 */
export function requireAdded(chunk: NewChunk, state: StreamState, maxSize: number): void {
  if (chunk.number < state.nextChunk) return
  if (chunk.number > state.nextChunk) throw new ChunkExpected(state.nextChunk)
  throw new TextTooLarge(maxSize, state.size + chunk.size)
}
