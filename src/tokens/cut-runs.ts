const run = 128
/**
 * 128 signs of one kind, which an encoding may take as one word: letters with their marks, spaces, or other signs except
 * digits.
 */
const oneKind = new RegExp(`[\\p{L}\\p{M}]{${run}}|\\s{${run}}|[^\\s\\p{L}\\p{N}]{${run}}`, 'uy')

/**
 * Cuts long runs of signs of one kind. An encoder takes such a run as one word, and its time grows with the square of
 * the word's length: a word of 32 KiB took 950 ms. At every 128th unit, the text is cut if 128 signs of one kind
 * follow. So a run shorter than 128 signs stays whole, and no run longer than 640 units is left. Each cut may add one
 * token to the count.
 */
export function cutRuns(text: string): string[] {
  const pieces: string[] = []
  let from = 0
  for (let place = run; place < text.length; place += run) {
    const at = beforePair(text, place)
    oneKind.lastIndex = at
    if (!oneKind.test(text)) continue
    pieces.push(text.slice(from, at))
    from = at
  }
  pieces.push(text.slice(from))
  return pieces
}

/** `place`, or the place before it when `place` is inside a surrogate pair. */
export function beforePair(text: string, place: number): number {
  const isInside = /[\uDC00-\uDFFF]/.test(text.charAt(place)) && /[\uD800-\uDBFF]/.test(text.charAt(place - 1))
  return isInside ? place - 1 : place
}
