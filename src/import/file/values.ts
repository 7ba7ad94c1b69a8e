import { createReadStream } from 'node:fs'
import { decode, longestText } from './decode.ts'

/**
 * A value of a file, or the end of a list of the outermost level.
 *
 * `line` is where the value begins, from 1; `index` is its place in the list, or null outside of a list.
 */
export type Value =
  | { readonly kind: 'end' }
  | ({ readonly kind: 'value'; readonly line: number; readonly index: number | null } & (
      | { readonly text: string; readonly fault?: never }
      | { readonly text: null; readonly fault: string }
    ))

const [quote, comma, backslash, newline] = [0x22, 0x2c, 0x5c, 0x0a]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Finds the values of a file of JSON by their brackets, without parsing them: the members of a list of the outermost
 * level, and values outside of lists. Only one value, and the chunk in which it ends, are in memory.
 */
export async function* readValues(
  path: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<Value, void, undefined> {
  /** Brackets that are open around this byte; the bracket of a list of the outermost level does not count. */
  let depth = 0
  let index: number | null = null
  let line = 1
  let isInString = false
  let isEscaped = false
  let value: { readonly line: number; pieces: Buffer[]; bytes: number } | null = null
  let isFirst = true

  const finish = (): Value => {
    const { line: begin, pieces, bytes } = value ?? { line, pieces: [], bytes: 0 }
    const place = { kind: 'value', line: begin, index } as const
    value = null
    if (index !== null) index += 1
    return { ...place, ...decode(pieces, bytes, isFirst) }
  }

  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    onRead(chunk.length)
    let from = 0
    const add = (to: number) => {
      if (value === null) return
      value.bytes += to - from
      // If a value is too long, only its length is kept.
      if (value.bytes > longestText) value.pieces = []
      else value.pieces.push(chunk.subarray(from, to))
    }
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (byte === newline) line += 1
      if (isInString) {
        if (isEscaped) isEscaped = false
        else if (byte === backslash) isEscaped = true
        else if (byte === quote) isInString = false
        continue
      }
      if (value === null) {
        // White space and commas stand between values, and a byte order mark before the first one.
        if (byte <= 0x20 || byte === comma || (byte >= 0x80 && isFirst)) continue
        if (byte === openList && index === null) {
          index = 0
          continue
        }
        if (byte === closeList && index !== null) {
          index = null
          yield { kind: 'end' }
          continue
        }
        value = { line, pieces: [], bytes: 0 }
        from = at
      }
      if (byte === quote) isInString = true
      else if (byte === openList || byte === openObject) depth += 1
      else if (byte === closeList || byte === closeObject) {
        depth -= 1
        if (depth > 0) continue
        // A value that is no list and no object ends before the bracket of its list.
        const isOwn = depth === 0
        depth = 0
        add(isOwn ? at + 1 : at)
        yield finish()
        isFirst = false
        if (isOwn || byte !== closeList || index === null) continue
        index = null
        yield { kind: 'end' }
      } else if (depth === 0 && (byte === comma || byte === newline)) {
        add(at)
        yield finish()
        isFirst = false
      }
    }
    add(chunk.length)
  }
  if (value !== null) {
    const { text, ...last } = finish() as Extract<Value, { kind: 'value' }>
    const isCut = depth > 0 || isInString
    yield (
      isCut || text === null
        ? { ...last, text: null, fault: isCut ? 'the file ends within this value.' : (last.fault ?? '') }
        : { ...last, text }
    ) as Value
  }
}
