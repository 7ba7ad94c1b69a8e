import { hash, randomBytes } from 'node:crypto'
import { uuidOfHex } from '../../entities/ids/bytes.ts'

/**
 * The key of the conversation that `userId` calls `id`: the first 128 bits of SHA-256 over (user, NUL, id), as a uuid.
 * The server uses this hash only to find a conversation. It never compares a stored key with a hash again, so that a
 * conversation can get another owner.
 */
export function conversationKey(userId: string, id: string): string {
  // Node returns hexadecimal digits three times as fast as bytes.
  return uuidOfHex(hash('sha256', `${userId}\0${id}`, 'hex').slice(0, 32))
}

/**
 * The key under which a user's list of conversations is watched: the key of the empty id, which no conversation has.
 */
export function listKey(userId: string): string {
  return conversationKey(userId, '')
}

/**
 * The key under which it is watched which conversations wait for a person: that of the list of the empty user, whom nobody
 * is.
 */
export const waitingKey = listKey('')

/** 48 random bits. They tell a conversation from an earlier one of the same key. */
export function drawEpoch(): number {
  return randomBytes(6).readUIntBE(0, 6)
}
