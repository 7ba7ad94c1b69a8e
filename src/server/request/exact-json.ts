import { contractLimits } from '../../config.ts'
import { badInput } from '../../errors.ts'
import { isExactNumber } from '../../graphql/input/exact-number.ts'
import { atOnce, inTurns, type Work } from '../../turns.ts'
import { type BodyLimits, findExcess } from './body-limits.ts'
import { endOfString } from './end-of-string.ts'

/**
 * Parses JSON. A text that would cost too much is refused before it is parsed, and a text whose value would differ from
 * the text is refused, as a text that is not JSON is.
 *
 * @param path where the text stands in the request
 * @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE
 */
export function parseExactJson(text: string, limits: BodyLimits, path = 'body'): unknown {
  return atOnce(exactJson(text, limits, path))
}

/** The same for a long text. @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE */
export async function parseInTurns(text: string, limits: BodyLimits, path = 'body'): Promise<unknown> {
  return inTurns(exactJson(text, limits, path))
}

function* exactJson(text: string, limits: BodyLimits, path: string): Work<unknown> {
  yield
  requireBounds(text, limits, path)
  yield
  const value = parse(text, path)
  yield
  requireExact(text, value, path)
  yield
  return value
}

function requireBounds(text: string, limits: BodyLimits, path: string): void {
  const excess = findExcess(text, limits, path)
  if (excess !== null) throw excess
}

function requireExact(text: string, value: unknown, path: string): void {
  const inexact = findInexactness(text, value)
  if (inexact !== null) throw badInput(path, inexact)
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badInput(path, 'must be JSON.')
  }
}

/**
 * Compares a value with the text that it was parsed from, and says what `JSON.parse` has changed without an error, as a
 * sentence for the caller; null: nothing. A double cannot hold every number. Objects put keys that look like array
 * indexes first. Of a key that an object has twice only the last is kept.
 *
 * Every key and every value is read a second time here, because a parser may have a fault: some Nodes read a key as
 * another one (node-check.ts).
 *
 * @param text valid JSON
 * @param value what `JSON.parse` made of it
 * @throws Error where the value is another one and the text is not to blame
 */
export function findInexactness(text: string, value: unknown): string | null {
  const comparison = new Comparison(text)
  try {
    return comparison.value(value, 'undecided') ? comparison.end() : comparison.reason
  } catch (error) {
    // Of a key that stands twice the first value is compared with the last one.
    const key = findKeyTwice(text)
    if (key === null) throw error
    return standsTwice(key)
  }
}

/** Reads the text alone. @returns null: no object has a key twice */
function findKeyTwice(text: string): string | null {
  /** The keys of the objects around; null: a list. */
  const levels: (Set<string> | null)[] = []
  let isKeyNext = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') levels.push(char === '{' ? new Set() : null)
    if (char === '}' || char === ']') levels.pop()
    if (char === '{' || char === ',') isKeyNext = (levels.at(-1) ?? null) !== null
    if (char !== '"') continue
    const from = at
    at = endOfString(text, at)
    if (!isKeyNext) continue
    isKeyNext = false
    const key = JSON.parse(text.slice(from, at + 1)) as string
    const keys = levels.at(-1)
    if (keys?.has(key)) return key
    keys?.add(key)
  }
  return null
}

function standsTwice(key: string): string {
  return `the key ${shown(key)} stands twice in one object; only the last would be kept.`
}

/**
 * Whether the order of keys matters. The keys of `metadata` may come in any order; those of the other JSON fields keep
 * theirs. The outermost field with a name in `orders` decides.
 */
type Order = 'undecided' | 'any' | 'kept'

const orders = new Map<string, Order>([
  ['metadata', 'any'],
  ['parts', 'kept'],
  ['usage', 'kept'],
  ['extra', 'kept'],
])

/** Reads a text and a value in step. The methods answer false when they differ, and then `reason` says why. */
class Comparison {
  readonly #text: string
  #at = 0
  #depth = 0
  reason: string | null = null

  constructor(text: string) {
    this.#text = text
  }

  value(value: unknown, order: Order): boolean {
    const code = this.#next()
    if (code === quote) {
      if (typeof value !== 'string' || !this.#string(value)) throw altered()
      return true
    }
    if (code === openBrace || code === openBracket) {
      if (++this.#depth > contractLimits.bodyDepth) {
        this.reason = 'is nested too deeply.'
        return false
      }
      const isSame = code === openBrace ? this.#object(value, order) : this.#array(value, order)
      this.#depth -= 1
      return isSame
    }
    if (code === minus || isDigit(code)) return this.#number(value)
    const word = code === letterT ? 'true' : code === letterF ? 'false' : 'null'
    this.#at += word.length
    if (String(value) !== word || typeof value === 'string') throw altered()
    return true
  }

  end(): null {
    this.#next()
    if (this.#at < this.#text.length) throw altered()
    return null
  }

  #array(value: unknown, order: Order): boolean {
    if (!Array.isArray(value)) throw altered()
    let count = 0
    for (let code = this.#skip(); code !== closeBracket; code = this.#next()) {
      if (code === comma) this.#at += 1
      if (!this.value(value[count], order)) return false
      count += 1
    }
    this.#at += 1
    if (count !== value.length) throw altered()
    return true
  }

  #object(value: unknown, order: Order): boolean {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw altered()
    const keys = Object.keys(value)
    let count = 0
    /** null: so far the keys came in the order of the value. */
    let seen: SeenKeys | null = null
    for (let code = this.#skip(); code !== closeBrace; code = this.#next()) {
      if (code === comma) this.#at += 1
      this.#next()
      const start = this.#at
      let key = keys[count] ?? ''
      if (seen !== null || count >= keys.length || !this.#string(key)) {
        this.#at = start
        seen ??= new SeenKeys(keys.slice(0, count))
        key = this.#ownString()
        if (!Object.hasOwn(value, key)) throw altered()
      }
      if (seen !== null && !this.#add(key, seen, order)) return false
      count += 1
      // The colon.
      this.#next()
      this.#at += 1
      const below = order === 'undecided' ? (orders.get(key) ?? order) : order
      if (!this.value((value as Record<string, unknown>)[key], below)) return false
    }
    this.#at += 1
    if (count !== keys.length) throw altered()
    return true
  }

  #add(key: string, seen: SeenKeys, order: Order): boolean {
    if (seen.has(key)) {
      this.reason = standsTwice(key)
      return false
    }
    if (seen.takesPlace(key) || order === 'any') return true
    this.reason = `the key ${shown(key)} would move before its neighbours: keys that are numbers must come first, in ascending order.`
    return false
  }

  #number(value: unknown): boolean {
    const start = this.#at
    let whole = 0
    let code = this.#text.charCodeAt(this.#at)
    if (code === minus) code = this.#text.charCodeAt(++this.#at)
    for (; isDigit(code); code = this.#text.charCodeAt(++this.#at)) whole = whole * 10 + code - zero
    const isWhole = code !== dot && code !== letterE && code !== bigE
    if (isWhole && this.#at - start <= exactDigits) {
      // 0 and -0 are equal here, as in JSON.
      if (value !== whole && value !== -whole) throw altered()
      if (whole !== 0 && (value as number) < 0 !== (this.#text.charCodeAt(start) === minus)) throw altered()
      return true
    }
    while (isPartOfNumber(code)) code = this.#text.charCodeAt(++this.#at)
    const raw = this.#text.slice(start, this.#at)
    if (String(value) === raw && typeof value === 'number') return true
    if (raw.length > longestNumber || !isExactNumber(raw)) {
      this.reason = `the number ${raw.slice(0, 40)} does not fit into a double; send it as a text.`
      return false
    }
    if (value !== Number(raw)) throw altered()
    return true
  }

  /** Whether the string that begins here is this one. Afterwards `#at` is behind its last quote. */
  #string(expected: string): boolean {
    const text = this.#text
    let at = this.#at + 1
    const { length } = expected
    if (length > longString) {
      // As it is, or else as JavaScript would write it. To write one of megabytes takes longer than to look at its characters.
      const end = at + length
      const isPlain = text.charCodeAt(end) === quote && !expected.includes('"') && !expected.includes('\\')
      if (isPlain && text.slice(at, end) === expected) {
        this.#at = end + 1
        return true
      }
      const written = length > hugeString ? null : JSON.stringify(expected)
      if (written !== null && text.startsWith(written, this.#at)) {
        this.#at += written.length
        return true
      }
    }
    for (let index = 0; ; index++, at++) {
      let code = text.charCodeAt(at)
      if (code === quote) {
        this.#at = at + 1
        return index === length
      }
      if (code === backslash) {
        at += 1
        code = text.charCodeAt(at)
        if (code === letterU) {
          code = Number.parseInt(text.slice(at + 1, at + 5), 16)
          at += 4
        } else code = escaped.get(code) ?? code
      }
      if (code !== expected.charCodeAt(index)) return false
    }
  }

  /** The string that begins here. Afterwards `#at` is behind its last quote. */
  #ownString(): string {
    const text = this.#text
    let read = ''
    let from = this.#at + 1
    for (let at = from; ; at++) {
      const code = text.charCodeAt(at)
      if (code === quote) {
        this.#at = at + 1
        return read + text.slice(from, at)
      }
      if (code !== backslash) continue
      read += text.slice(from, at)
      at += 1
      const kind = text.charCodeAt(at)
      if (kind === letterU) {
        read += String.fromCharCode(Number.parseInt(text.slice(at + 1, at + 5), 16))
        at += 4
      } else read += String.fromCharCode(escaped.get(kind) ?? kind)
      from = at + 1
    }
  }

  /** Goes on behind one character, and then to the next one that is not white space. */
  #skip(): number {
    this.#at += 1
    return this.#next()
  }

  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code
      this.#at += 1
    }
  }
}

/** This server's fault, and not the caller's. */
function altered(): Error {
  return new Error('JSON.parse has read another value than the text has.')
}

/** Whole numbers of so many characters are exact in a double. */
const exactDigits = 15
/** The smallest double has 326 characters when it is written without an exponent. */
const longestNumber = 400
/** Longer strings are first compared as a whole, and only then character by character. */
const longString = 32
const hugeString = 64 * 1024

const [quote, backslash, comma, minus, dot, zero] = [0x22, 0x5c, 0x2c, 0x2d, 0x2e, 0x30]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]
const [letterT, letterF, letterE, bigE, letterU] = [0x74, 0x66, 0x65, 0x45, 0x75]

/** The characters that stand for others behind a backslash. */
const escaped = new Map(
  Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(([letter, char]) => [
    letter.charCodeAt(0),
    char.charCodeAt(0),
  ]),
)

function isDigit(code: number): boolean {
  return code >= zero && code <= 0x39
}

function isPartOfNumber(code: number): boolean {
  return isDigit(code) || code === dot || code === letterE || code === bigE || code === minus || code === 0x2b
}

function shown(key: string): string {
  return key.length <= 40 ? JSON.stringify(key) : `${JSON.stringify(key.slice(0, 40))}…`
}

/** The keys of an object in the order of the text. */
class SeenKeys {
  readonly #keys = new Set<string>()
  #hasName = false
  #lastIndex = -1

  constructor(keys: readonly string[]) {
    for (const key of keys) this.takesPlace(key)
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** Adds a key, and says whether an object keeps it at the place where it was written. */
  takesPlace(key: string): boolean {
    this.#keys.add(key)
    if (!isIndex(key)) {
      this.#hasName = true
      return true
    }
    const isInPlace = !this.#hasName && Number(key) > this.#lastIndex
    this.#lastIndex = Number(key)
    return isInPlace
  }
}

function isIndex(key: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1
}
