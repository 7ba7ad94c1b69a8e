import { beforePair } from './cut-runs.ts'

/**
 * Cuts a long text into slices of at most `limit` units, before a space after a word where there is one near: there no
 * token reaches across, so that the sum of the slices' tokens is the text's.
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
