import type { Pool } from 'pg'
import type { Place } from '../../entities/ids/place.ts'
import { AttemptOver, ChunkExpected, MessageMissing, NotStreaming, TextTooLarge } from '../../facts.ts'
import { atOnce, commit } from '../conversation/commit.ts'
import { writeJson } from '../postgres/column.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import { type Store, textHint } from '../postgres/store.ts'

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
  readonly attempt: number
  readonly nextChunk: number
  /** UTF-8 bytes of the message and its chunks. */
  readonly size: number
  readonly stopRequested: boolean
}

/**
 * Adds to each stream the chunks that follow its stored ones, in one statement for all streams. Answers for each append
 * the state of its stream afterwards, or null if the stream does not exist or is not this user's. A chunk that is
 * stored already is not added again. A chunk is left out if it comes after a gap, if it is of another attempt, or if it
 * would make the message larger than `maxSize` bytes: `requireAdded` says which.
 *
 * @param locked what to do with streams that another transaction holds: wait for them, or answer null
 */
export async function addChunks(
  store: Store,
  chunks: readonly NewChunk[],
  maxSize: number,
  locked: 'wait' | 'skip',
): Promise<(StreamState | null)[]> {
  const numberOf = new Map<string, number>()
  const streams: StreamRef[] = []
  const numbers = chunks.map((chunk) => {
    const known = numberOf.get(streamKey(chunk))
    if (known !== undefined) return known
    numberOf.set(streamKey(chunk), streams.push(chunk))
    return streams.length
  })
  const values = [
    streams.map(({ place }) => place.key),
    streams.map(({ userId }) => userId),
    streams.map(({ place }) => place.epoch),
    streams.map(({ place }) => place.seq),
    streams.map(({ attempt }) => attempt),
    numbers,
    chunks.map(({ number }) => number),
    chunks.map(({ size }) => size),
    chunks.map(({ text }) => text),
    chunks.map(({ data }) => writeJson(data)),
    maxSize,
  ]
  const keyOf = ([n]: Row) => (streams[Number(n) - 1] as StreamRef).place.key
  const rows = await commit(
    store,
    atOnce(async (pool) => {
      const result = await query(pool, add[locked], values)
      const moved = result.filter(([, hasMoved]) => hasMoved).map((row) => ({ key: keyOf(row), revision: textHint }))
      return { result, moved }
    }),
  )
  const states = new Map(rows.map(([n, , ...state]) => [Number(n), readState(state)]))
  return numbers.map((n) => states.get(n) ?? null)
}

/** A key for each user, message and attempt. */
export function streamKey({ userId, place, attempt }: StreamRef): string {
  return `${place.key} ${place.epoch} ${place.seq} ${attempt} ${userId}`
}

/** A sign of life of the producer: the timeout begins anew. */
export const seen = 'expires_at = clock_timestamp() + make_interval(secs => s.timeout_seconds)'

/**
 * The stop request is in the message's row, so a producer learns of it with its next chunk, without a request of its
 * own. Streams are locked in one order. The chunks from the next one on are numbered by row: a chunk with a gap before
 * it has another number than its row.
 */
function addStatement(locked: 'wait' | 'skip'): Statement {
  return {
    name: `stream-add-${locked}`,
    text: `
      with asked as (
        select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::int[])
          with ordinality as asked(key, user_id, epoch, seq, attempt, n)
      ),
      stream as materialized (
        select asked.n, asked.attempt = s.attempt as is_own, m.size as message_size,
          m.stop_requested_at is not null as is_to_stop, s.*
        from asked
        join conversation c
          on c.key = asked.key and c.user_id = asked.user_id and c.epoch = asked.epoch and c.deleted_at is null
        join message m on m.conversation_key = c.key and m.seq = asked.seq
        join message_stream s on s.conversation_key = m.conversation_key and s.seq = m.seq
        order by s.conversation_key, s.seq
        for update of s${locked === 'skip' ? ' skip locked' : ''}
      ),
      fresh as (
        select distinct on (chunk.n, chunk.number) stream.next_chunk, stream.message_size + stream.size as size_before, chunk.*
        from unnest($6::int[], $7::int[], $8::int[], $9::text[], $10::text[]) as chunk(n, number, size, text, data)
        join stream on stream.n = chunk.n and stream.is_own and chunk.number >= stream.next_chunk
        order by chunk.n, chunk.number
      ),
      counted as (
        select *,
          next_chunk + row_number() over (partition by n order by number) - 1 as expected,
          size_before + sum(size) over (partition by n order by number) as size_after
        from fresh
      ),
      added as materialized (select * from counted where number = expected and size_after <= $11),
      stored as (
        insert into message_chunk (conversation_key, seq, chunk, text, data)
        select stream.conversation_key, stream.seq, added.number, added.text, added.data::json
        from added join stream on stream.n = added.n
      ),
      moved as (
        update message_stream s set
          next_chunk = stream.next_chunk + sum.chunks, size = stream.size + sum.bytes, ${seen}
        from stream cross join lateral (
          select count(*)::int as chunks, coalesce(sum(added.size), 0)::int as bytes from added where added.n = stream.n
        ) sum
        where s.conversation_key = stream.conversation_key and s.seq = stream.seq and stream.is_own
        returning stream.n, sum.chunks, s.next_chunk, s.size
      )
      select stream.n, coalesce(moved.chunks > 0, false), stream.attempt,
        coalesce(moved.next_chunk, stream.next_chunk), stream.message_size + coalesce(moved.size, stream.size), is_to_stop
      from stream left join moved on moved.n = stream.n`,
  }
}

const add = { wait: addStatement('wait'), skip: addStatement('skip') }

/** Tells that the producer is alive. @throws MessageMissing, AttemptOver, NotStreaming */
export async function beat(store: Store, stream: StreamRef): Promise<StreamState> {
  const { place, userId, attempt } = stream
  const [row] = await query(store.pool, beatOnce, [place.key, userId, place.epoch, place.seq, attempt])
  if (row !== undefined) return readState(row)
  throw new AttemptOver((await readStream(store.pool, stream)).attempt)
}

const beatOnce: Statement = {
  name: 'stream-beat',
  text: `
    with stream as (
      update message_stream s set ${seen}
      from conversation c
      where c.key = $1 and c.user_id = $2 and c.epoch = $3 and c.deleted_at is null
        and s.conversation_key = c.key and s.seq = $4 and s.attempt = $5
      returning s.*
    )
    select stream.attempt, stream.next_chunk, m.size + stream.size, m.stop_requested_at is not null
    from stream join message m on m.conversation_key = stream.conversation_key and m.seq = stream.seq`,
}

/**
 * Throws unless a chunk is stored in its stream.
 *
 * @throws AttemptOver, ChunkExpected, TextTooLarge
 */
export function requireAdded(chunk: NewChunk, state: StreamState, maxSize: number): void {
  if (state.attempt !== chunk.attempt) throw new AttemptOver(state.attempt)
  if (chunk.number < state.nextChunk) return
  if (chunk.number > state.nextChunk) throw new ChunkExpected(state.nextChunk)
  throw new TextTooLarge(maxSize, state.size + chunk.size)
}

/** The state of a stream. @throws MessageMissing, NotStreaming */
export async function readStream(pool: Pool, { userId, place }: StreamRef): Promise<StreamState> {
  const [row] = await query(pool, selectState, [place.key, userId, place.epoch, place.seq])
  if (row === undefined) throw new MessageMissing()
  if (row[0] === null) throw new NotStreaming()
  return readState(row)
}

const selectState: Statement = {
  name: 'stream-state',
  text: `
    select s.attempt, s.next_chunk, m.size + s.size, m.stop_requested_at is not null
    from conversation c
    join message m on m.conversation_key = c.key and m.seq = $4 and m.deleted_at is null
    left join message_stream s on s.conversation_key = c.key and s.seq = m.seq
    where c.key = $1 and c.user_id = $2 and c.epoch = $3 and c.deleted_at is null`,
}

function readState(row: Row): StreamState {
  return {
    attempt: row[0] as number,
    nextChunk: row[1] as number,
    size: row[2] as number,
    stopRequested: row[3] === true,
  }
}
