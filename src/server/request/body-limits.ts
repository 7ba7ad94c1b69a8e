import { contractLimits, type Limits } from '../../config.ts'
import { type ApiError, badInput, tooLarge } from '../../errors.ts'
import { endOfString } from './end-of-string.ts'

/** What a text of JSON may cost to parse, whatever it says. */
export type BodyLimits = Pick<Limits, 'bodyValues' | 'bodyKeys'>

/** What a text of JSON holds. The text was not looked at beyond the place where one of these passed its limit. */
export interface Extent {
  /** How deep objects and arrays are nested at most. */
  readonly depth: number
  /** Values, and the keys of objects. */
  readonly values: number
  /** How many different keys all objects have together; 0 while there cannot be too many. */
  readonly keys: number
  /** How many characters were looked at. */
  readonly read: number
}

/**
 * Says why a text of JSON is not parsed; null: it may be. Four megabytes of brackets took V8 two seconds, and objects
 * with 100,000 keys of their own a second. So the text is measured first, in one pass that makes nothing and ends at
 * the first limit.
 *
 * @param text need not be JSON
 * @param path where the text stands in the request
 */
export function findExcess(text: string, limits: BodyLimits, path: string): ApiError | null {
  const { depth, values, keys } = measure(text, limits)
  if (depth > contractLimits.bodyDepth) {
    return badInput(path, `must be JSON that is nested at most ${contractLimits.bodyDepth} deep.`)
  }
  if (values > limits.bodyValues) return tooLarge(path, 'values and keys or more', limits.bodyValues, values)
  return keys > limits.bodyKeys ? tooLarge(path, 'different keys or more', limits.bodyKeys, keys) : null
}

/** Measures a text until it passes a limit. */
export function measure(text: string, { bodyValues, bodyKeys }: BodyLimits): Extent {
  let [depth, deepest, values, keys, read] = [0, 0, 0, 0, 0]
  for (; read < text.length; read++) {
    const kind = kindOf(text.charCodeAt(read))
    if (kind === between) continue
    if (kind === colon) {
      keys += 1
      continue
    }
    if (kind === close) {
      depth -= 1
      continue
    }
    values += 1
    if (kind === open) {
      depth += 1
      if (depth > deepest) deepest = depth
    } else if (kind === quote) {
      read = endOfString(text, read)
    } else {
      while (kindOf(text.charCodeAt(read + 1)) === other) read += 1
    }
    if (values > bodyValues || depth > contractLimits.bodyDepth) break
  }
  return { depth: deepest, values, keys: keys > bodyKeys ? countDifferentKeys(text, read, bodyKeys) : 0, read }
}

/** Counts up to one more than the limit. */
function countDifferentKeys(text: string, end: number, limit: number): number {
  const keys = new Set<string>()
  for (let at = 0; at < end && keys.size <= limit; at++) {
    if (kindOf(text.charCodeAt(at)) !== quote) continue
    const last = endOfString(text, at)
    let after = last + 1
    while (after < end && kindOf(text.charCodeAt(after)) === between) after += 1
    if (kindOf(text.charCodeAt(after)) === colon) keys.add(text.slice(at, last))
    at = last
  }
  return keys.size
}

/** White space, or a comma. */
const between = 1
const colon = 2
const quote = 3
const open = 4
const close = 5
/** A number or a name, or no JSON. */
const other = 0

const kinds = new Uint8Array(128)
for (const char of ' \t\n\r,') kinds[char.charCodeAt(0)] = between
for (const char of '[{') kinds[char.charCodeAt(0)] = open
for (const char of ']}') kinds[char.charCodeAt(0)] = close
kinds[0x3a] = colon
kinds[0x22] = quote

/** @param code NaN beyond the end of the text */
function kindOf(code: number): number {
  if (code < 128) return kinds[code] as number
  return Number.isNaN(code) ? between : other
}
