import type { Conversation } from '../../entities/conversation.ts'
import { formatUuid, readBase64url, writeUuid } from '../../entities/ids/bytes.ts'
import { type PlaceHead, packPlace, placeText, unpackPlace } from '../../entities/ids/place.ts'
import { badInput, cursorExpired } from '../../errors.ts'
import type { ListPlace } from '../../storage/list/conversation-list.ts'
import type { Known } from '../../storage/message/changes.ts'

/** The cursor of an edge: (version, key, epoch, seq) in base64url. It names only a place. */
export function edgeCursor(head: PlaceHead, seq: number): string {
  return placeText(head, seq)
}

/**
 * The cursor that says how much of a conversation a client knows: (version, key, epoch, seq, revision in 8 bytes) in
 * base64url.
 */
export function knownCursor(known: Known): string {
  const bytes = packPlace(known, 8)
  bytes.writeBigUInt64BE(BigInt(known.revision), bytes.length - 8)
  return bytes.toString('base64url')
}

/** The cursor at which a conversation's feed stands. */
export function feedCursor({ key, epoch, lastSeq, revision }: Conversation): string {
  return knownCursor({ key, epoch, seq: lastSeq, revision })
}

/**
 * How much a client with this cursor knows of the conversation. `""` knows nothing. A cursor that names only a place
 * knows no changes.
 *
 * @throws ApiError CURSOR_EXPIRED for another epoch, or for a place that the conversation never reached, as after a
 *   restored backup; BAD_USER_INPUT if the text is not a cursor of this conversation
 */
export function readKnownCursor(path: string, cursor: string, conversation: Conversation): Known {
  const { key, epoch, lastSeq } = conversation
  if (cursor === '') return { key, epoch, seq: 0, revision: 0 }
  const read = unpackPlace(cursor)
  if (read === null || (read.rest.length !== 0 && read.rest.length !== 8)) throw badInput(path, 'is not a cursor.')
  if (read.place.key !== key) throw badInput(path, 'is a cursor of another conversation.')
  const revision = read.rest.length === 0 ? 0 : Number(read.rest.readBigUInt64BE())
  const isReached = read.place.seq <= lastSeq && revision <= conversation.revision
  if (read.place.epoch !== epoch || !isReached) throw cursorExpired()
  return { ...read.place, revision }
}

/** The seq that a cursor of this conversation names. @throws ApiError as `readKnownCursor` */
export function readMessageCursor(path: string, cursor: string, conversation: Conversation): number {
  return readKnownCursor(path, cursor, conversation).seq
}

const listVersion = 2

/** The cursor of a conversation in the list: (version, key, time as text) in base64url. */
export function listCursor({ key, updatedAt }: ListPlace): string {
  const time = Buffer.from(updatedAt)
  const bytes = Buffer.alloc(17 + time.length)
  bytes[0] = listVersion
  writeUuid(bytes, key, 1)
  time.copy(bytes, 17)
  return bytes.toString('base64url')
}

/** @throws ApiError BAD_USER_INPUT */
export function readListCursor(path: string, cursor: string): ListPlace {
  const bytes = readBase64url(cursor)
  const updatedAt = bytes?.toString('latin1', 17) ?? ''
  if (bytes?.[0] !== listVersion || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(updatedAt)) {
    throw badInput(path, 'is not a cursor of the list of conversations.')
  }
  // PostgreSQL would fail on a time that does not exist, and Date turns 30 February into a day in March.
  const time = new Date(updatedAt)
  const isReal = !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === updatedAt.slice(0, 19)
  if (!isReal || updatedAt.startsWith('0000')) throw badInput(path, 'is not a cursor of the list of conversations.')
  return { key: formatUuid(bytes.subarray(1, 17)), updatedAt }
}
