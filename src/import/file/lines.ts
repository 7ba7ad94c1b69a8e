import { createReadStream } from 'node:fs'
import { decode, longestText } from './decode.ts'

/** One line of a file. `text` is null if the line is too long or is not UTF-8; `fault` says which. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: null; readonly fault: string }

/**
 * The lines of a file that are not blank, numbered from 1, one at a time. Only the line, and the chunk in which it
 * ends, are in memory.
 */
export async function* readLines(path: string, onRead: (bytes: number) => void): AsyncGenerator<Line, void, undefined> {
  let number = 0
  let pieces: Buffer[] = []
  let bytes = 0
  const finish = (): Line | null => {
    number += 1
    const line = { number, ...decode(pieces, bytes, number === 1) }
    pieces = []
    bytes = 0
    return line.text?.trim() === '' ? null : line
  }
  const add = (piece: Buffer) => {
    bytes += piece.length
    // If a line is too long, only its length is kept.
    if (bytes > longestText) pieces = []
    else pieces.push(piece)
  }
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    onRead(chunk.length)
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, end))
      from = end + 1
      const line = finish()
      if (line !== null) yield line
    }
    add(chunk.subarray(from))
  }
  const last = finish()
  if (last !== null) yield last
}
