/**
 * A text of Markdown in pieces that mean the same one by one: cut at blank lines, outside of fenced code, and not before a
 * line that may go on with a list or a quote. A text with link definitions stays whole, because they hold everywhere.
 */
export function blocksOf(text: string): string[] {
  if (/^ {0,3}\[[^\]]+\]:/m.test(text)) return [text]
  const blocks: string[] = []
  let block: string[] = []
  let fence: string | null = null
  let isCut = false
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? null
    if (isCut && fence === null && /^[^\s>*+\-\d|]/.test(line)) {
      blocks.push(block.join('\n'))
      block = []
    }
    if (fence === null) fence = mark
    else if (mark !== null && mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark) fence = null
    isCut = line.trim() === ''
    block.push(line)
  }
  blocks.push(block.join('\n'))
  return blocks
}
