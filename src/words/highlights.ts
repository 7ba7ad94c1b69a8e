import type { Phrase, WordQuery } from './word-query.ts'
import { readWords, stemOf, type Word } from './words.ts'

/** A piece of a text, in UTF-16 units. */
export interface TextRange {
  readonly start: number
  readonly end: number
}

export interface Snippet {
  readonly text: string
  /** What was searched for, in `text`. They do not overlap. */
  readonly ranges: readonly TextRange[]
}

/** How many units a snippet has at most. */
const snippetUnits = 240

/** A text, cut into words once. */
export interface Cut {
  readonly text: string
  readonly words: readonly Word[]
}

export function cutWords(text: string): Cut {
  return { text, words: [...readWords(text)] }
}

/** Whether the text has every phrase of a query, and nothing that the query excludes. */
export function fulfils({ words }: Cut, { phrases, excluded }: WordQuery): boolean {
  if (phrases.length === 0 && excluded.length === 0) return true
  return phrases.every((phrase) => has(words, phrase)) && !excluded.some((phrase) => has(words, phrase))
}

function has(words: readonly Word[], phrase: Phrase): boolean {
  // The last character of a script without spaces stands also alone, behind the pair that it ends.
  const inOrder = words.filter((one, index) => phrase.length === 1 || !isTail(one, words[index - 1]))
  return inOrder.some((_, at) => phrase.every((one, n) => isSame(inOrder[at + n], one)))
}

function isTail(one: Word, before: Word | undefined): boolean {
  return one.isGram && before?.isGram === true && before.end === one.end
}

function isSame(one: Word | undefined, sought: Phrase[number]): boolean {
  if (one === undefined) return false
  return one.word === sought.word || (sought.isGram && one.isGram && one.word.startsWith(sought.word))
}

/** The piece of the text that has most of what was searched for; its beginning if it has nothing of it. */
export function snippetOf(cut: Cut, query: WordQuery): Snippet {
  const { text } = cut
  const found = marks(cut, query)
  const first = busiest(found)
  const start = first === null ? 0 : startBefore(cut, first.start)
  const end = endAfter(cut, start + snippetUnits)
  const ranges = found
    .filter((range) => range.start >= start && range.end <= end)
    .map((range) => ({ start: range.start - start, end: range.end - start }))
  return { text: text.slice(start, end).toWellFormed(), ranges }
}

/** Where the words of a query stand, without overlaps. */
function marks({ words }: Cut, { words: sought, prefixes }: WordQuery): TextRange[] {
  const exact = new Set(sought.map(({ word }) => word))
  const stems = new Set(sought.filter(({ isGram }) => !isGram).map(stemOf))
  const single = sought.filter(({ isGram }) => isGram).map(({ word }) => word)
  const starts = prefixes.map(({ word }) => word)
  const ranges: { start: number; end: number }[] = []
  for (const one of words) {
    const isFound =
      exact.has(one.word) ||
      (one.isGram ? single.some((word) => one.word.startsWith(word)) : stems.has(stemOf(one))) ||
      starts.some((word) => one.word.startsWith(word))
    if (!isFound) continue
    const last = ranges.at(-1)
    if (last !== undefined && one.start < last.end) last.end = Math.max(last.end, one.end)
    else ranges.push({ start: one.start, end: one.end })
  }
  return ranges
}

/** The first mark of the snippet that has most marks. */
function busiest(found: readonly TextRange[]): TextRange | null {
  let best: TextRange | null = null
  let most = 0
  let end = 0
  for (const [at, range] of found.entries()) {
    while (end < found.length && (found[end] as TextRange).end <= range.start + snippetUnits - lead) end += 1
    if (end - at > most) {
      most = end - at
      best = range
    }
  }
  return best
}

/** How many units of the text stand before the first mark. */
const lead = 40

function startBefore({ words }: Cut, mark: number): number {
  if (mark <= lead) return 0
  return words.find(({ start }) => start >= mark - lead)?.start ?? mark
}

function endAfter({ text, words }: Cut, limit: number): number {
  if (limit >= text.length) return text.length
  return words.findLast(({ end }) => end <= limit)?.end ?? limit
}
