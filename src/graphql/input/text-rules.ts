import { badInput, tooLarge } from '../../errors.ts'

/**
 * Refuses a text that would not come back byte for byte. PostgreSQL refuses NUL, and a lone surrogate would be stored
 * as another character.
 *
 * @throws ApiError BAD_USER_INPUT
 */
export function requireStorable(path: string, text: string): void {
  if (text.includes('\0')) throw badInput(path, 'must not contain the character NUL.')
  if (!text.isWellFormed()) throw badInput(path, 'must be valid Unicode: it has half of a surrogate pair.')
}

/**
 * Whether a text can have been stored. A text that cannot is never found, and must not find the text that it would turn
 * into.
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/**
 * Requires a text that can be stored, is not empty, and has at most `limit` characters, counted in Unicode code points.
 * @throws ApiError
 */
export function requireName(path: string, text: string, limit: number): void {
  requireStorable(path, text)
  if (text === '') throw badInput(path, 'must not be empty.')
  requireLength(path, text, limit)
}

/** Requires that a text, if there is one, can be stored, and has at most `limit` bytes. @throws ApiError */
export function requireShort(path: string, text: string | null, limit: number): void {
  if (text === null) return
  requireStorable(path, text)
  const bytes = Buffer.byteLength(text)
  if (bytes > limit) throw tooLarge(path, 'bytes', limit, bytes)
}

/** @throws ApiError PAYLOAD_TOO_LARGE */
export function requireLength(path: string, text: string, limit: number): void {
  if (text.length <= limit) return
  const length = countCharacters(text)
  if (length > limit) throw tooLarge(path, 'characters', limit, length)
}

/** Without a list of them, which takes half a second of four megabytes. @param text valid Unicode */
function countCharacters(text: string): number {
  let count = text.length
  // The second half of a surrogate pair is no character of its own.
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) count -= 1
  return count
}
