import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { StartupError } from '../errors.ts'
import { type Counts, type End, formatVersion, type Header, isWhole } from './lines.ts'

/** A line that has been checked. */
export interface Line {
  /** From 1. */
  readonly number: number
  readonly kind: 'conversation' | 'message'
  /** A JSON object, without the line break. */
  readonly bytes: Buffer
  /** Whether it has more than its message: a stream, chunks, a reply, reactions, feedback. */
  readonly hasMore: boolean
}

export interface Checked extends Counts {
  readonly header: Header
  readonly sha256: string
}

/** PostgreSQL holds no larger value. */
const longestLine = 1024 * 1024 * 1024

/** Whether a file begins like an export, packed or not. One that cannot be read does not: whoever reads it then says why. */
export async function isExport(path: string): Promise<boolean> {
  try {
    for await (const _ of readRaw(path)) return true
  } catch {}
  return false
}

const start = '{"colloquy":'

/**
 * Reads a whole export and answers what it has.
 *
 * @throws StartupError for what is no export, a later one, or a damaged one; the error of the system
 */
export async function checkFile(path: string): Promise<Checked> {
  const lines = readLines(path)
  for (;;) {
    const { value, done } = await lines.next()
    if (done) return value
  }
}

/**
 * The lines of an export, each checked before it is handed out; at the end, that none is missing.
 *
 * @throws as `checkFile`
 */
export async function* readLines(path: string): AsyncGenerator<Line, Checked, undefined> {
  const hash = createHash('sha256')
  let header: Header | null = null
  let end: End | null = null
  let number = 0
  const counts = { conversations: 0, messages: 0 }
  const fault = (what: string) => new StartupError(`${path}: line ${number} ${what}`)
  for await (const { line, isEnded } of readRaw(path)) {
    number += 1
    if (end !== null) throw fault('stands behind the end')
    if (!isEnded) break
    if (!isWhole(line)) throw fault('is damaged: its checksum is another')
    const kind = line.toString('latin1', 2, line.indexOf(34, 2))
    if (kind === 'end') {
      end = (JSON.parse(line.toString()) as { end: End }).end
      const isSame = counts.conversations === end.conversations && counts.messages === end.messages
      if (!isSame || hash.digest('hex') !== end.sha256) throw fault('says that lines before it are missing or others')
      continue
    }
    hash.update(line).update('\n')
    if (kind === 'colloquy') {
      if (number > 1) throw fault('is a second header')
      header = (JSON.parse(line.toString()) as { colloquy: Header }).colloquy
      if (header.version > formatVersion)
        throw new StartupError(`${path} was written by a later version of Colloquy; import it with that version`)
      continue
    }
    const isConversation = kind === 'conversation'
    counts[isConversation ? 'conversations' : 'messages'] += 1
    if (!isConversation && counts.conversations === 0) throw fault('is of no conversation')
    const hasMore = !isConversation && kind !== 'message'
    yield { number, kind: isConversation ? 'conversation' : 'message', bytes: line, hasMore }
  }
  if (header === null || end === null)
    throw new StartupError(`${path} is cut off after line ${number}: its end is missing`)
  return { header, ...counts, sha256: end.sha256 }
}

/** `isEnded`: a line break follows. */
async function* readRaw(path: string): AsyncGenerator<{ line: Buffer; isEnded: boolean }, void, undefined> {
  let number = 0
  let pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of await openFile(path)) {
      if (number === 0 && bytes === 0) requireStart(path, chunk)
      let from = 0
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        const last = chunk.subarray(from, end)
        number += 1
        yield { line: pieces.length === 0 ? last : Buffer.concat([...pieces, last]), isEnded: true }
        pieces = []
        bytes = 0
        from = end + 1
      }
      if (from === chunk.length) continue
      pieces.push(chunk.subarray(from))
      bytes += chunk.length - from
      if (bytes > longestLine) throw new StartupError(`${path}: line ${number + 1} is longer than a line may be`)
    }
  } catch (error) {
    if (!isOfZlib(error)) throw error
    const isCut = error.code === 'Z_BUF_ERROR'
    const fault = isCut ? 'cut off' : 'damaged'
    throw new StartupError(`${path} is ${fault} after line ${number}: it cannot be unpacked further`)
  }
  if (number === 0 && bytes === 0) requireStart(path, Buffer.of())
  if (pieces.length > 0) yield { line: Buffer.concat(pieces), isEnded: false }
}

/** Another file may be one line of any length, which nobody should read. */
function requireStart(path: string, chunk: Buffer): void {
  if (chunk.toString('latin1', 0, start.length) === start) return
  throw new StartupError(`${path} is no export of Colloquy: it does not begin with ${start}`)
}

async function openFile(path: string): Promise<AsyncIterable<Buffer>> {
  const packed = await isPacked(path)
  const file = createReadStream(path, { highWaterMark: 256 * 1024 })
  if (!packed) return file
  const unpacked = createGunzip()
  // An error of the file ends what is unpacked, and a reader that stops ends the file.
  pipeline(file, unpacked, () => {})
  return unpacked as Readable
}

/** By its first bytes, whatever its name is. */
async function isPacked(path: string): Promise<boolean> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
  return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b
}

function isOfZlib(error: unknown): error is NodeJS.ErrnoException {
  return (error as NodeJS.ErrnoException).code?.startsWith('Z_') === true
}
