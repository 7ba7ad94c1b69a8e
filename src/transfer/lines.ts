import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/*
 * The lines of an export, in their order. Each is a JSON object, and its last member is the checksum of the bytes before
 * it, so that a damaged line is known by its number.
 *
 *     {"colloquy":{"version":1,"exportedAt":…,"migration":…,"userId":…,"tables":{…}},"crc":"1a2b3c4d"}
 *     {"conversation":{…},"participants":[…],"readMarkers":[…],"waiting":[…],"crc":…}     and then its messages, by seq:
 *     {"message":{…},"crc":…}
 *     {"stream":{…},"chunks":[…],"message":{…},"crc":…}      a message that is still being written
 *     {"link":{…},"reactions":[…],"feedback":[…],"approvals":[…],"message":{…},"crc":…}      what people added to it
 *     {"end":{"conversations":…,"messages":…,"sha256":…},"crc":…}      of all bytes before this line
 *
 * The rows are those of the tables, with their columns' names. A column that is NULL is left out, and so is the
 * conversation's key in what stands below the conversation. PostgreSQL writes the rows and reads them: a json column
 * comes back as it was, byte for byte, and a time in microseconds.
 */

/** Of the format. A program reads those up to its own. */
export const formatVersion = 1

export interface Header {
  readonly version: number
  /** The time of the snapshot, by the database's clock. */
  readonly exportedAt: string
  /** The last migration of the database. */
  readonly migration: string
  /** The user whose conversations these are; null: everybody's. */
  readonly userId: string | null
  /** The columns of each table. */
  readonly tables: Readonly<Record<string, readonly string[]>>
}

export interface Counts {
  readonly conversations: number
  readonly messages: number
}

export interface End extends Counts {
  readonly sha256: string
}

/** How a line ends: `,"crc":"1a2b3c4d"}`. */
const sealBytes = 18
/** The shortest line that may be well formed. */
export const shortestLine = sealBytes + 2

/** Ends lines with their checksums, and counts and hashes them for the last one. */
export class Sealer {
  readonly #hash: Hash = createHash('sha256')
  conversations = 0
  messages = 0
  bytes = 0

  /** @param lines JSON objects without their last brace. They may be changed. */
  seal(lines: readonly Buffer[]): Buffer {
    const sealed = Buffer.allocUnsafe(lines.reduce((sum, line) => sum + line.length + sealBytes + 1, 0))
    let at = 0
    for (const line of lines) {
      // Between the values of a json column there may be line breaks. In a text none is written as it is.
      for (let feed = line.indexOf(10); feed !== -1; feed = line.indexOf(10, feed)) line[feed] = 32
      at += line.copy(sealed, at)
      at += sealed.write(`,"crc":"${checksumOf(line)}"}\n`, at, 'latin1')
      if (line.toString('latin1', 2, 7) === 'conve') this.conversations += 1
      else if (line.toString('latin1', 2, 7) !== 'collo') this.messages += 1
    }
    this.#hash.update(sealed)
    this.bytes += sealed.length
    return sealed
  }

  /** The last line. */
  end(): Buffer {
    const { conversations, messages } = this
    const end: End = { conversations, messages, sha256: this.#hash.digest('hex') }
    const line = Buffer.from(unclosed({ end }))
    return Buffer.from(`${line},"crc":"${checksumOf(line)}"}\n`)
  }
}

/** JSON without its last brace. */
export function unclosed(value: object): string {
  return JSON.stringify(value).slice(0, -1)
}

/** Whether a line has the checksum that it says. */
export function isWhole(line: Buffer): boolean {
  if (line.length < shortestLine) return false
  const end = line.length - sealBytes
  return line.toString('latin1', end) === `,"crc":"${checksumOf(line.subarray(0, end))}"}`
}

function checksumOf(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0')
}
