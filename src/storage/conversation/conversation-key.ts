import { hash, randomBytes } from 'node:crypto'
import { uuidOfHex } from '../../entities/bytes.ts'

/**
 * The key of the conversation that `userId` calls `id`: the first 128 bits of SHA-256 over (user, NUL, id), as a uuid.
 * Only good for finding: a key once stored is never compared with a hash again, so that ownership can move.
 */
export function conversationKey(userId: string, id: string): string {
  // Node answers hexadecimal digits three times as fast as bytes.
  return uuidOfHex(hash('sha256', `${userId}\0${id}`, 'hex').slice(0, 32))
}

/** What the list of a user's conversations is watched by: the key of an id that no conversation has, the empty one. */
export function listKey(userId: string): string {
  return conversationKey(userId, '')
}

/** 48 random bits: tells a conversation from an earlier one of the same key. */
export function drawEpoch(): number {
  return randomBytes(6).readUIntBE(0, 6)
}
