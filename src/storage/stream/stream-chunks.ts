import type { MessageChunk } from '../../entities/message/message-chunk.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { readsAt } from '../conversation/history-part.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { readJson } from '../postgres/column.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
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

/**
 * By seq and number. There are fewer than asked for if their bytes pass the budget, but at least one if there is one.
 */
export async function readChunks(
  store: Store,
  budget: AnswerBudget,
  { userId, key, epoch, from, count }: ChunkRequest,
): Promise<{ chunks: Chunk[]; hasMore: boolean }> {
  const values = [userId, epoch, [...from.keys()], [...from.values()], count]
  const rows = await budget.readKey(store, { statement: selectChunks, key, values }, 'cut')
  const chunks = rows.map(([, , seq, chunk, text, data]) => {
    return { seq: seq as number, chunk: chunk as number, text: text as string, data: readJson(data) }
  })
  // The total counts one chunk beyond `count` of each message, if there is one.
  return { chunks, hasMore: chunks.length < Number(rows[0]?.[1] ?? 0) }
}

const selectChunks: Statement<'key'> = {
  name: 'stream-chunks',
  kind: 'key',
  text: `
    select bytes, total, seq, chunk, case when bytes <= $7 then text end, case when bytes <= $7 then data end from (
      select
        sum(k.own) over (order by k.seq, k.chunk) as bytes, k.own, count(*) over ()::int as total,
        row_number() over (partition by k.seq order by k.chunk) as place_of_seq,
        k.seq, k.chunk, k.text, k.data
      from conversation c
      cross join unnest($4::int[], $5::int[]) as asked(seq, chunk)
      cross join lateral (
        select *, octet_length(text) + coalesce(octet_length(data::text), 0) as own from message_chunk
        where conversation_key = $1 and seq = asked.seq and chunk >= asked.chunk
        order by chunk limit $6::int + 1
      ) k
      where ${reachable('c')} and ${readsAt('c', 'asked.seq')}
    ) found
    where place_of_seq <= $6 and bytes - own <= $7::bigint
    order by seq, chunk`,
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
  const rows = await queryKey(store.reads, selectStreaming, key, [userId, epoch, after, upTo])
  return rows.map(([seq]) => seq as number)
}

const selectStreaming: Statement<'key'> = {
  name: 'stream-streaming',
  kind: 'key',
  text: `
    select s.seq from conversation c
    join message_stream s on s.conversation_key = $1 and s.seq > $4 and s.seq <= $5
    where ${reachable('c')} and ${readsAt('c', 's.seq')} order by s.seq limit 100`,
}
