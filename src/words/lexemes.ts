import { hash } from 'node:crypto'
import { readWords, stemOf, type Word } from './words.ts'

/*
 * Lexemes are what the index of words holds: each begins with the scope, four characters that are made of the owner of
 * the conversation. So a search looks only at lexemes of the owners whose conversations its viewer may read, and needs
 * no index of two columns. Two owners may have the same scope: whoever finds a message by its lexemes must ask as well
 * whose it is.
 */

/** As far as a message is searched, in UTF-16 units. PostgreSQL takes a list of lexemes of at most 1 MiB. */
export const searchedUnits = 65_536

/** How many units are cut into words at a time: about a millisecond. */
const unitsAtOnce = 8_192

/** The lexemes of a text as PostgreSQL reads a tsvector, and the number of its words. */
export interface Lexemes {
  readonly words: string
  readonly length: number
}

/** @param pause is awaited between slices of a long text, so that nobody waits for the whole of it */
export async function readLexemes(owner: string, text: string, pause: () => Promise<void>): Promise<Lexemes> {
  const scope = scopeOf(owner)
  const found = new Set<string>()
  let length = 0
  let next = unitsAtOnce
  for (const word of readWords(text.slice(0, searchedUnits).toWellFormed())) {
    found.add(exactLexeme(scope, word))
    if (stemOf(word) !== word.word) found.add(stemLexeme(scope, word))
    length += 1
    if (word.end < next) continue
    next = word.end + unitsAtOnce
    await pause()
  }
  return { words: [...found].map((lexeme) => `'${lexeme}'`).join(' '), length }
}

export function scopeOf(owner: string): string {
  return hash('sha256', owner, 'base64url').slice(0, 4)
}

export function exactLexeme(scope: string, { word }: Pick<Word, 'word'>): string {
  return scope + word
}

/** A word that is its own stem has no such lexeme. */
export function stemLexeme(scope: string, word: Pick<Word, 'word' | 'isGram'>): string {
  return `${scope}~${stemOf(word)}`
}
