import { readBase64url, writeUuid } from '../../entities/ids/bytes.ts'
import { badInput } from '../../errors.ts'
import type { ListKnown } from '../../live/known-states.ts'
import { listKey } from '../../storage/conversation/conversation-key.ts'
import type { ListPage } from '../../storage/list/conversation-list.ts'
import { changeMoment } from '../../storage/list/conversation-list-changes.ts'
import { conversationMark, markBytes } from '../../storage/list/conversation-mark.ts'

const version = 3
/** The version, the first half of the list's key, and two moments. */
const headBytes = 1 + 8 + 8 + 8

/**
 * The cursor that says how much of a user's list a client knows: (version, user, settled, deletedSince, marks) in
 * base64url.
 */
export function listFeedCursor(userId: string, { settled, deletedSince, marks }: ListKnown): string {
  const head = Buffer.alloc(headBytes)
  head[0] = version
  userOf(userId).copy(head, 1)
  head.writeBigInt64BE(BigInt(settled), 9)
  head.writeBigInt64BE(BigInt(deletedSince), 17)
  return Buffer.concat([head, Buffer.from(marks.join(''), 'hex')]).toString('base64url')
}

/** The cursor of a list's feed, for a client that knows a page of the list. The page must tell when it was read. */
export function pageFeedCursor(userId: string, { readAt, conversations }: ListPage, settleMs: number): string {
  if (readAt === null) throw new Error('readAt was not read.')
  const settled = readAt - settleMs * 1_000
  const recent = conversations.filter((conversation) => changeMoment(conversation) >= settled)
  return listFeedCursor(userId, { settled, deletedSince: settled, marks: recent.map(conversationMark) })
}

/** @throws ApiError BAD_USER_INPUT if the text is not a cursor of this user's list */
export function readListFeedCursor(path: string, cursor: string, userId: string): ListKnown {
  const bytes = readBase64url(cursor)
  if (bytes?.[0] !== version || bytes.length < headBytes || (bytes.length - headBytes) % markBytes !== 0) {
    throw badInput(path, "is not a cursor of a list's feed.")
  }
  if (!bytes.subarray(1, 9).equals(userOf(userId))) throw badInput(path, "is a cursor of another user's list.")
  const marks: string[] = []
  for (let at = headBytes; at < bytes.length; at += markBytes) marks.push(bytes.toString('hex', at, at + markBytes))
  // The server makes no cursor with a moment before 1970, and PostgreSQL cannot hold all moments before it.
  const moment = (at: number) => Math.max(0, Number(bytes.readBigInt64BE(at)))
  return { settled: moment(9), deletedSince: moment(17), marks }
}

function userOf(userId: string): Buffer {
  const key = Buffer.alloc(16)
  writeUuid(key, listKey(userId), 0)
  return key.subarray(0, 8)
}
