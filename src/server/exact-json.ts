import { badInput } from '../errors.ts'
import { isExactNumber } from '../graphql/exact-number.ts'

/**
 * Parses JSON; a text that would come back changed is refused like one that is no JSON.
 *
 * @throws ApiError BAD_USER_INPUT
 */
export function parseExactJson(text: string): unknown {
  const value = parse(text)
  const inexact = findInexactness(text)
  if (inexact !== null) throw badInput('body', inexact)
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badInput('body', 'must be JSON.')
  }
}

/**
 * What `JSON.parse` would change in this text without a word, as a sentence for the caller; null when nothing.
 *
 * A double cannot hold every number, and objects put keys that look like array indexes first. Both are rare, so one
 * regular expression looks for their signs, and only a text that has them is read through.
 *
 * @param text valid JSON
 */
export function findInexactness(text: string): string | null {
  return signs.test(text) ? new Scanner(text).scan() : null
}

/** Sixteen digits in a row, an exponent, a key of digits, or an escaped digit that may be one. */
const signs = /[\d.]{16}|\d[eE][+-]?\d|"\d+"\s*:|\\u003\d/

interface Level {
  readonly isObject: boolean
  /** Which of the fields that decide about the order of keys this stands in; the outermost counts. */
  readonly order: Order
  lastIndex: number
  hasName: boolean
  key: string
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
        levels.push({ isObject: char === '{', order: orderBelow(level), lastIndex: -1, hasName: false, key: '' })
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
