import type { MessageChunk } from '../entities/message-chunk.ts'
import { readJson } from './column.ts'
import { query, type Statement, type Store } from './store.ts'

export type Chunk = { readonly seq: number } & Pick<MessageChunk, 'chunk' | 'text' | 'data'>

/** The chunks of messages of one conversation from a number on each, by seq and number, at most `count`. */
export async function readChunks(
  store: Store,
  userId: string,
  conversation: { readonly key: string; readonly epoch: number },
  from: ReadonlyMap<number, number>,
  count: number,
): Promise<Chunk[]> {
  const { key, epoch } = conversation
  const rows = await query(store.pool, selectChunks, [key, userId, epoch, [...from.keys()], [...from.values()], count])
  return rows.map(([seq, chunk, text, data]) => {
    return { seq: seq as number, chunk: chunk as number, text: text as string, data: readJson(data) }
  })
}

const selectChunks: Statement = {
  name: 'stream-chunks',
  text: `
    select k.seq, k.chunk, k.text, k.data
    from conversation c
    cross join unnest($4::int[], $5::int[]) as asked(seq, chunk)
    join message_chunk k on k.conversation_key = c.key and k.seq = asked.seq and k.chunk >= asked.chunk
    where c.key = $1 and c.user_id = $2 and c.epoch = $3 and c.deleted_at is null
    order by k.seq, k.chunk limit $6`,
}

/** Which messages up to a seq are streaming, by seq; their state is for `readMessagesAt` to tell. */
export async function readStreaming(store: Store, key: string, upTo: number): Promise<number[]> {
  const rows = await query(store.pool, selectStreaming, [key, upTo])
  return rows.map(([seq]) => seq as number)
}

const selectStreaming: Statement = {
  name: 'stream-streaming',
  text: 'select seq from message_stream where conversation_key = $1 and seq <= $2 order by seq limit 100',
}
