/**
 * Where a string of JSON ends that begins at this place of a text.
 *
 * @param first the place of its first quote
 * @returns the place of its last quote, or the end of the text
 */
export function endOfString(text: string, first: number): number {
  let at = first + 1
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) break
    if (code === backslash) at += 1
  }
  return at
}

const quote = 0x22
const backslash = 0x5c
