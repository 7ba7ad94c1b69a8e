import { createHash } from 'node:crypto'
import type { Conversation } from '../../entities/conversation.ts'
import { writeUuid } from '../../entities/ids/bytes.ts'

/** How many bytes a mark has. */
export const markBytes = 8

/**
 * Tells one state of one conversation from all other states: the first 64 bits of SHA-256 over (key, revision), as hex.
 * The mark is so small that a cursor can hold a hundred of them.
 */
export function conversationMark({ key, revision }: Pick<Conversation, 'key' | 'revision'>): string {
  const bytes = Buffer.alloc(24)
  writeUuid(bytes, key, 0)
  bytes.writeBigInt64BE(BigInt(revision), 16)
  return createHash('sha256').update(bytes).digest().subarray(0, markBytes).toString('hex')
}

/** The same mark, computed by PostgreSQL. */
export function markOf(table: string): string {
  return `encode(substring(sha256(uuid_send(${table}.key) || int8send(${table}.revision)) for ${markBytes}), 'hex')`
}
