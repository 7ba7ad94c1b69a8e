import type { Place } from '../entities/place.ts'
import { attemptIsOver, chunkExpected, messageNotFound, notStreaming, tooLarge } from '../errors.ts'
import { writeJson } from './column.ts'
import { query, type Row, type Statement, type Store } from './store.ts'

export interface TextAppend {
  readonly userId: string
  readonly place: Place
  readonly attempt: number
  readonly chunk: number
  readonly text: string
  /** JSON; undefined: none. */
  readonly data: unknown
  /** UTF-8 bytes of text and data. */
  readonly size: number
}

export interface StreamState {
  readonly nextChunk: number
  readonly stopRequested: boolean
}

/** A hint of text is no revision: it is above all of them, so that whoever hears it looks. It has at most 15 digits. */
const textHint = 999_999_999_999_999

/**
 * Adds a chunk; empty text without data is only a sign of life. One statement in the common case, durable when it
 * answers. A chunk that is there already is acknowledged and not added again.
 *
 * @throws ApiError NOT_FOUND, CONFLICT (CHUNK, ATTEMPT, NOT_STREAMING), PAYLOAD_TOO_LARGE
 */
export async function appendMessageText(store: Store, append: TextAppend, maxSize: number): Promise<StreamState> {
  const { place, userId, attempt, chunk, text, size } = append
  const isChunk = text !== '' || append.data !== undefined
  const where = [place.key, userId, place.epoch, place.seq, attempt]
  const values = isChunk ? [...where, chunk, size, maxSize, text, writeJson(append.data)] : where
  const [row] = await query(store.pool, isChunk ? addChunk : beat, values)
  if (row === undefined) return explain(store, append, isChunk, maxSize)
  if (isChunk) store.announce({ key: place.key, revision: textHint })
  return readState(row)
}

/** A sign of life: the time in which there has to be another one begins anew. */
export const seen = 'expires_at = clock_timestamp() + make_interval(secs => s.timeout_seconds)'

function streamOf(condition: string): string {
  return `
    from conversation c
    where c.key = $1 and c.user_id = $2 and c.epoch = $3 and c.deleted_at is null
      and s.conversation_key = c.key and s.seq = $4 and ${condition}`
}

/** The stop stands in the message's row: a producer learns of it with its next chunk, and needs no question of its own. */
const state = (stream: string) => `
  select ${stream}.next_chunk, ${stream}.attempt, ${stream}.size, m.stop_requested_at is not null
  from ${stream} join message m on m.conversation_key = ${stream}.conversation_key and m.seq = ${stream}.seq`

const addChunk: Statement = {
  name: 'stream-add-chunk',
  text: `
    with stream as (
      update message_stream s set next_chunk = s.next_chunk + 1, size = s.size + $7, ${seen}
      ${streamOf('s.attempt = $5 and s.next_chunk = $6 and s.size + $7 <= $8')}
      returning s.*
    ),
    added as (
      insert into message_chunk (conversation_key, seq, chunk, text, data)
      select conversation_key, seq, $6, $9, $10 from stream
    )
    ${state('stream')}`,
}

const beat: Statement = {
  name: 'stream-beat',
  text: `
    with stream as (
      update message_stream s set ${seen} ${streamOf('s.attempt = $5')} returning s.*
    )
    ${state('stream')}`,
}

/** Why a chunk was not added, asked after the fact: the state of a stream only moves on. */
async function explain(store: Store, append: TextAppend, isChunk: boolean, maxSize: number): Promise<StreamState> {
  const { place, userId, attempt, chunk, size } = append
  const [row] = await query(store.pool, selectState, [place.key, userId, place.epoch, place.seq])
  if (row === undefined) throw messageNotFound()
  const [nextChunk, present, stored] = row as [number | null, number | null, number | null]
  if (nextChunk === null || present === null) throw notStreaming()
  if (present !== attempt) throw attemptIsOver(present)
  if (isChunk && chunk > nextChunk) throw chunkExpected(nextChunk)
  if (isChunk && chunk === nextChunk && Number(stored) + size > maxSize) {
    throw tooLarge('input.text', 'bytes, with all chunks before it,', maxSize, Number(stored) + size)
  }
  return readState(row)
}

const selectState: Statement = {
  name: 'stream-state',
  text: `
    select s.next_chunk, s.attempt, s.size, m.stop_requested_at is not null
    from conversation c
    join message m on m.conversation_key = c.key and m.seq = $4 and m.deleted_at is null
    left join message_stream s on s.conversation_key = c.key and s.seq = m.seq
    where c.key = $1 and c.user_id = $2 and c.epoch = $3 and c.deleted_at is null`,
}

function readState(row: Row): StreamState {
  return { nextChunk: row[0] as number, stopRequested: row[3] === true }
}
