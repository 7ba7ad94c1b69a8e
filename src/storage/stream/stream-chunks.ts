import type { MessageChunk } from '../../entities/message-chunk.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { readJson } from '../postgres/column.ts'
import { ReadLanes } from '../postgres/read-lanes.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

export type Chunk = { readonly seq: number } & Pick<MessageChunk, 'chunk' | 'text' | 'data'>

/** Asks for chunks of messages of one conversation: of each message from a number on, at most `count`. */
export interface ChunkRequest {
  readonly userId: string
  readonly key: string
  readonly epoch: number
  /** The first chunk to read, by the seq of its message. */
  readonly from: ReadonlyMap<number, number>
  readonly count: number
}

type ChunkAsk = ChunkRequest & { readonly room: number }

/** Reads chunks, with one statement for all operations that ask at the same time. */
export class ChunkReads {
  readonly #lanes: ReadLanes<ChunkAsk>

  constructor(store: Store) {
    this.#lanes = new ReadLanes({
      read: (asks) => readChunks(store, asks),
      numberAt: 1,
      rowsOf: ({ from, count }) => from.size * count,
    })
  }

  /**
   * By seq and number. There are fewer than asked for if their bytes pass the budget, but at least one if there is one.
   */
  async read(budget: AnswerBudget, request: ChunkRequest): Promise<{ chunks: Chunk[]; hasMore: boolean }> {
    const rows = await budget.spend((room) => this.#lanes.read({ ...request, room }))
    const chunks = rows.map(([, , , seq, chunk, text, data]) => {
      return { seq: seq as number, chunk: chunk as number, text: text as string, data: readJson(data) }
    })
    // The total counts one chunk beyond `count` of each message, if there is one.
    return { chunks, hasMore: chunks.length < Number(rows[0]?.[2] ?? 0) }
  }
}

function readChunks(store: Store, asks: readonly ChunkAsk[]): Promise<Row[]> {
  const all = asks.flatMap(({ from, ...ask }, index) =>
    [...from].map(([seq, chunk]) => ({ ...ask, seq, chunk, n: index + 1 })),
  )
  return query(store.pool, selectChunks, [
    all.map(({ n }) => n),
    all.map(({ userId }) => userId),
    all.map(({ key }) => key),
    all.map(({ epoch }) => epoch),
    all.map(({ seq }) => seq),
    all.map(({ chunk }) => chunk),
    all.map(({ count }) => count),
    all.map(({ room }) => room),
  ])
}

const selectChunks: Statement = {
  name: 'stream-chunks',
  text: `
    select bytes, n, total, seq, chunk, text, data from (
      select
        sum(octet_length(k.text) + coalesce(octet_length(k.data::text), 0)) over (partition by asked.n order by k.seq, k.chunk)
          as bytes,
        asked.n, count(*) over (partition by asked.n)::int as total,
        row_number() over (partition by asked.n order by k.seq, k.chunk) as place,
        row_number() over (partition by asked.n, k.seq order by k.chunk) as place_of_seq,
        k.seq, k.chunk, k.text, k.data, asked.count, asked.room
      from unnest($1::int[], $2::text[], $3::uuid[], $4::bigint[], $5::int[], $6::int[], $7::int[], $8::bigint[])
        as asked(n, user_id, key, epoch, seq, chunk, count, room)
      join conversation c
        on c.key = asked.key and c.user_id = asked.user_id and c.epoch = asked.epoch and c.deleted_at is null
      cross join lateral (
        select * from message_chunk
        where conversation_key = c.key and seq = asked.seq and chunk >= asked.chunk
        order by chunk limit asked.count + 1
      ) k
    ) found
    where place_of_seq <= count and (bytes <= room or place = 1)
    order by n, seq, chunk`,
}

/**
 * The seqs of streaming messages after one seq and up to another: the first 100, in order. `readMessagesAt` reads their
 * state.
 */
export async function readStreaming(
  store: Store,
  userId: string,
  { key, epoch }: Pick<ChunkRequest, 'key' | 'epoch'>,
  after: number,
  upTo: number,
): Promise<number[]> {
  const rows = await query(store.pool, selectStreaming, [key, userId, epoch, after, upTo])
  return rows.map(([seq]) => seq as number)
}

const selectStreaming: Statement = {
  name: 'stream-streaming',
  text: `
    select s.seq from conversation c
    join message_stream s on s.conversation_key = c.key and s.seq > $4 and s.seq <= $5
    where ${reachable('c')} order by s.seq limit 100`,
}
