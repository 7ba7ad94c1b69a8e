/**
 * Where a string of JSON ends that begins at this place of a text.
 *
 * @param first the place of its first quote
 * @returns the place of its last quote, or the end of the text
 */
export function endOfString(text: string, first: number): number {
  let plain = 0
  for (let at = first + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) return at
    plain += 1
    if (code === backslash) {
      at += 1
      plain = 0
    } else if (plain === longPlain) {
      const next = text.indexOf('"', at)
      if (next < 0) break
      let start = next
      while (text.charCodeAt(start - 1) === backslash) start -= 1
      if ((next - start) % 2 === 0) return next
      at = next
      plain = 0
    }
  }
  return text.length
}

/** Behind so many characters in a row without a backslash the next quote is searched, which is far faster than to look at each. */
const longPlain = 64
const quote = 0x22
const backslash = 0x5c
