import { badInput } from '../../errors.ts'
import { isExactNumber } from '../../graphql/input/exact-number.ts'

/**
 * Parses JSON. A text whose value would differ from the text is refused, as a text that is not JSON is.
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
 * Says what `JSON.parse` has changed in this text without an error, as a sentence for the caller; null: nothing.
 *
 * A double cannot hold every number. Objects put keys that look like array indexes first. Of a key that an object has
 * twice only the last is kept. All three are rare: regular expressions look for signs of them, and only a text with
 * such a sign is read through.
 *
 * @param text valid JSON
 * @param value what `JSON.parse` made of it
 */
export function findInexactness(text: string, value: unknown): string | null {
  return signs.test(text) || mayHaveKeyTwice(text, value) ? new Scanner(text).scan() : null
}

/**
 * The signs are: where a value can begin, a number of sixteen digits or with an exponent; a key of digits; an escaped
 * digit, which may be part of such a key. About half of all UUIDs contain what looks like an exponent; the first
 * alternative does not match within a UUID.
 */
const signs = /(?:^|[[:,\s])-?(?:[\d.]{16}|[\d.]+[eE])|"\d+"\s*:|\\u003\d/

/** The last quote of a key, and its colon. Inside a string the quote would be escaped. */
const keyEnds = /[^\\]"\s*:/g
/** How a key or another string looks in the text when it ends with a backslash. */
const escapedEnd = '\\\\"'

/** Whether the text has more keys than were kept, or a backslash that makes them hard to count. */
function mayHaveKeyTwice(text: string, value: unknown): boolean {
  return text.includes(escapedEnd) || (text.match(keyEnds)?.length ?? 0) !== countKeys(value)
}

/** Does not call itself, because a text may be nested more deeply than the stack allows. */
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
  /** Whether the order of keys matters here. The outermost field with a name in `orders` decides. */
  readonly order: Order
  lastIndex: number
  hasName: boolean
  key: string
  readonly keys: Set<string>
}

/** The keys of `metadata` may come in any order; those of the other JSON fields keep theirs. */
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

  /** The string that begins here, with its quotes. Afterwards `#at` is at the last quote. */
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

/** Whether an object keeps the newest key of the level at the place where it was written. */
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
