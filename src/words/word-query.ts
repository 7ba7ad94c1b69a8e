import { exactLexeme, scopeOf, stemLexeme } from './lexemes.ts'
import { readWords, stemOf, type Word } from './words.ts'

type Plain = Pick<Word, 'word' | 'isGram'>

/** Words that have to stand one behind the other. */
export type Phrase = readonly Plain[]

/** What somebody searches for. Every text is a query. */
export interface WordQuery {
  /** Any of them is enough; those of the phrases are among them. Each comes once. */
  readonly words: readonly Plain[]
  /** The beginnings of words, as `pain*`. */
  readonly prefixes: readonly Plain[]
  /** In quotes: each has to be there. */
  readonly phrases: readonly Phrase[]
  /** With a minus before them: none may be there. */
  readonly excluded: readonly Phrase[]
}

/** So many words count. Whoever pastes a text finds what is like its beginning. */
export const mostQueryWords = 32

/** A minus is one only at the beginning of a word; a star only at its end. A quote without an end ends with the text. */
const terms = /(?<minus>(?<=^|\s)-)?(?:["“”„](?<phrase>[^"“”„]*)["“”„]?|(?<word>[^\s"“”„]+))/gu

export function readQuery(text: string): WordQuery {
  const words = new Map<string, Plain>()
  const prefixes = new Map<string, Plain>()
  const phrases: Phrase[] = []
  const excluded: Phrase[] = []
  let room = mostQueryWords
  for (const { groups } of text.toWellFormed().matchAll(terms)) {
    const { minus, phrase, word } = groups as Record<string, string | undefined>
    const found = [...readWords(phrase ?? word ?? '')].filter(isNeeded).slice(0, room)
    if (found.length === 0) continue
    room -= found.length
    if (minus !== undefined) {
      excluded.push(found)
      continue
    }
    if (phrase !== undefined) phrases.push(found)
    const last = phrase === undefined && word?.endsWith('*') ? found.pop() : undefined
    if (last !== undefined) prefixes.set(last.word, last)
    for (const one of found) words.set(one.word, one)
  }
  return { words: [...words.values()], prefixes: [...prefixes.values()], phrases, excluded }
}

/** The last character of several in a script without spaces stands in the pair before it. */
function isNeeded(one: Word, index: number, all: readonly Word[]): boolean {
  const before = all[index - 1]
  return !(one.isGram && before?.isGram && before.end === one.end)
}

/** A lexeme to look for, as a tsquery, and how much it counts. */
export interface Sought {
  readonly query: string
  readonly weight: number
}

/** A word counts by its stem, and more where the word itself is there. The stem of a short word is nearly the word. */
const stemWeight = 0.7
const exactWeight = 0.3

/**
 * What a search looks for in the conversations of these owners, word by word; the lists have the same order.
 */
export function soughtIn(owners: readonly string[], { words, prefixes }: WordQuery): readonly (readonly Sought[])[] {
  return owners.map((owner) => {
    const scope = scopeOf(owner)
    const byWord = words.flatMap((one): Sought[] => {
      // A pair is searched for as it is; a single character also as the first of a pair.
      if (one.isGram) return [{ query: `'${exactLexeme(scope, one)}'${isSingle(one) ? ':*' : ''}`, weight: 1 }]
      const stem = `'${stemLexeme(scope, one)}' | '${exactLexeme(scope, { word: stemOf(one) })}'`
      if (one.word.length - stemOf(one).length < 2) return [{ query: stem, weight: 1 }]
      return [
        { query: stem, weight: stemWeight },
        { query: `'${exactLexeme(scope, one)}'`, weight: exactWeight },
      ]
    })
    return [...byWord, ...prefixes.map((one) => ({ query: `'${exactLexeme(scope, one)}':*`, weight: 1 }))]
  })
}

/** What a message has to fulfil, as a tsquery; null: nothing. `phraseIn` has to look whether words are neighbours. */
export function requiredIn(owners: readonly string[], { phrases, excluded }: WordQuery): string | null {
  if (phrases.length === 0 && excluded.every((phrase) => phrase.length > 1)) return null
  const all = (scope: string, phrase: Phrase) => phrase.map((one) => lexemeOf(scope, one)).join(' & ')
  const ofOwner = (owner: string) => {
    const scope = scopeOf(owner)
    const wanted = phrases.map((phrase) => all(scope, phrase))
    // Of several words only the text tells whether they stand one behind the other.
    const unwanted = excluded.filter(({ length }) => length === 1).map((phrase) => `!(${all(scope, phrase)})`)
    return `(${[...wanted, ...unwanted].join(' & ')})`
  }
  // A message has lexemes of one scope only. Without a phrase, what is unwanted in any scope must not be there.
  return owners.map(ofOwner).join(phrases.length === 0 ? ' & ' : ' | ')
}

function lexemeOf(scope: string, one: Plain): string {
  return `'${exactLexeme(scope, one)}'${one.isGram && isSingle(one) ? ':*' : ''}`
}

function isSingle({ word }: Plain): boolean {
  return [...word].filter((character) => !/\p{M}/u.test(character)).length < 2
}
