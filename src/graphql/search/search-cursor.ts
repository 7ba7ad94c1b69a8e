import { hash } from 'node:crypto'
import { packPlace, unpackPlace } from '../../entities/ids/place.ts'
import { badInput } from '../../errors.ts'
import type { FoundPlace } from '../../storage/search/search-messages.ts'

/** The cursor of a message that was found: (place, score in 8 bytes, 8 bytes that stand for the search) in base64url. */
export function searchCursor(found: FoundPlace, search: Buffer): string {
  const bytes = packPlace(found, 16)
  bytes.writeBigInt64BE(BigInt(found.score), bytes.length - 16)
  search.copy(bytes, bytes.length - 8)
  return bytes.toString('base64url')
}

/** What stands for a search in its cursors. */
export function searchMark(given: readonly unknown[]): Buffer {
  return Buffer.from(hash('sha256', JSON.stringify(given), 'hex').slice(0, 16), 'hex')
}

/** @throws ApiError BAD_USER_INPUT if the text is not a cursor of this search */
export function readSearchCursor(cursor: string, search: Buffer): FoundPlace {
  const read = unpackPlace(cursor)
  if (read?.rest.length !== 16) throw badInput('after', 'is not a cursor of a search.')
  if (!read.rest.subarray(8).equals(search)) throw badInput('after', 'is a cursor of another search.')
  return { ...read.place, score: Number(read.rest.readBigInt64BE()) }
}
