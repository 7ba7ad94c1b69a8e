import { badInput } from '../../errors.ts'
import { isExactNumber } from '../../graphql/input/exact-number.ts'

/**
 * Parses JSON; a text that would come back changed is refused like one that is no JSON.
 *
 * @param path where the text stands in the request
 * @throws ApiError BAD_USER_INPUT
 */
export function parseExactJson(text: string, path = 'body'): unknown {
  const value = parse(text, path)
  const inexact = findInexactness(text, value)
  if (inexact !== null) throw badInput(path, inexact)
  return value
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badInput(path, 'must be JSON.')
  }
}

/**
 * What `JSON.parse` would change in this text without a word, as a sentence for the caller; null when nothing.
 *
 * A double cannot hold every number, objects put keys that look like array indexes first, and of a key that is there
 * twice only the last is kept. All are rare, so regular expressions look for their signs, and only a text that has them
 * is read through.
 *
 * @param text valid JSON
 * @param value what `JSON.parse` made of it
 */
export function findInexactness(text: string, value: unknown): string | null {
  return signs.test(text) || mayHaveKeyTwice(text, value) ? new Scanner(text).scan() : null
}

/**
 * Where a value can begin, a number of sixteen digits or with an exponent; a key of digits, or an escaped digit that may be
 * one. Every other UUID has what looks like an exponent, but it does not begin with it.
 */
const signs = /(?:^|[[:,\s])-?(?:[\d.]{16}|[\d.]+[eE])|"\d+"\s*:|\\u003\d/

/** A key's last quote and its colon; inside a string the quote would be escaped. */
const keyEnds = /[^\\]"\s*:/g
/** Of a key, or a text, that ends with a backslash. */
const escapedEnd = '\\\\"'

/** Whether the text has more keys than were kept, or a backslash that makes them hard to count. */
function mayHaveKeyTwice(text: string, value: unknown): boolean {
  return text.includes(escapedEnd) || (text.match(keyEnds)?.length ?? 0) !== countKeys(value)
}

/** Without recursion: a text may be nested deeper than the stack is. */
function countKeys(value: unknown): number {
  let count = 0
  const left: unknown[] = [value]
  while (left.length > 0) {
    const one = left.pop()
    if (typeof one !== 'object' || one === null) continue
    const members = Object.values(one)
    if (!Array.isArray(one)) count += members.length
    for (const member of members) if (typeof member === 'object') left.push(member)
  }
  return count
}

interface Level {
  readonly isObject: boolean
  /** Which of the fields that decide about the order of keys this stands in; the outermost counts. */
  readonly order: Order
  lastIndex: number
  hasName: boolean
  key: string
  readonly keys: Set<string>
}

/** Keys of `metadata` keep no order, so any is fine there; those of the other JSON fields do, whatever keys it has itself. */
type Order = 'undecided' | 'any' | 'kept'

const orders: Readonly<Record<string, Order>> = { metadata: 'any', parts: 'kept', usage: 'kept', extra: 'kept' }

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  scan(): string | null {
    const levels: Level[] = []
    let isKeyNext = false
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string
      const level = levels.at(-1)
      if (char === '{' || char === '[') {
        levels.push({
          isObject: char === '{',
          order: orderBelow(level),
          lastIndex: -1,
          hasName: false,
          key: '',
          keys: new Set(),
        })
        isKeyNext = char === '{'
      } else if (char === '}' || char === ']') {
        levels.pop()
      } else if (char === ',') {
        isKeyNext = level?.isObject === true
      } else if (char === '"') {
        const raw = this.#string()
        if (!isKeyNext || level === undefined) continue
        isKeyNext = false
        level.key = JSON.parse(raw) as string
        if (level.keys.has(level.key)) return `the key ${raw} stands twice in one object; only the last would be kept.`
        level.keys.add(level.key)
        const isMoved = !takesPlace(level)
        if (isMoved && level.order !== 'any') {
          return `the key ${raw} would move before its neighbours: keys that are numbers must come first, in ascending order.`
        }
      } else if (char === '-' || (char >= '0' && char <= '9')) {
        const number = this.#number()
        if (!isExactNumber(number))
          return `the number ${number.slice(0, 40)} does not fit into a double; send it as a text.`
      }
    }
    return null
  }

  /** The string that begins here, quotes included; leaves the place at its last quote. */
  #string(): string {
    const from = this.#at
    do {
      this.#at = this.#text.indexOf('"', this.#at + 1)
    } while (isEscaped(this.#text, this.#at))
    return this.#text.slice(from, this.#at + 1)
  }

  #number(): string {
    const from = this.#at
    while (/[\d.eE+-]/.test(this.#text[this.#at + 1] ?? '')) this.#at += 1
    return this.#text.slice(from, this.#at + 1)
  }
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0
  while (text[quote - 1 - backslashes] === '\\') backslashes += 1
  return backslashes % 2 === 1
}

function orderBelow(level: Level | undefined): Order {
  if (level === undefined || level.order !== 'undecided') return level?.order ?? 'undecided'
  return Object.hasOwn(orders, level.key) ? (orders[level.key] ?? 'undecided') : 'undecided'
}

/** Whether an object keeps the level's newest key where it was written. */
function takesPlace(level: Level): boolean {
  const isIndex = /^(0|[1-9]\d{0,9})$/.test(level.key) && Number(level.key) < 2 ** 32 - 1
  if (!isIndex) {
    level.hasName = true
    return true
  }
  const inPlace = !level.hasName && Number(level.key) > level.lastIndex
  level.lastIndex = Number(level.key)
  return inPlace
}
