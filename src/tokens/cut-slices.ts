import { beforePair } from './cut-runs.ts'

/**
 * Cuts a long text into slices of at most `limit` units. If there is a space behind a word near the end of a slice, the
 * cut is before that space: no token reaches across it, so the slices together have as many tokens as the text.
 */
export function cutSlices(text: string, limit: number): string[] {
  const slices: string[] = []
  let from = 0
  while (text.length - from > limit) {
    const at = placeOfCut(text, from, from + limit)
    slices.push(text.slice(from, at))
    from = at
  }
  slices.push(text.slice(from))
  return slices
}

const near = 1_024

function placeOfCut(text: string, from: number, end: number): number {
  const earliest = Math.max(from + 1, end - near)
  for (let at = end; at >= earliest; at -= 1) {
    if (text[at] === ' ' && /\S/.test(text.charAt(at - 1))) return at
  }
  return Math.max(beforePair(text, end), from + 1)
}
