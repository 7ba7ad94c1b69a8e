import { open } from 'node:fs/promises'
import { isMessage } from '../formats/formats.ts'
import { parseJson } from '../told/json-text.ts'
import { isRecord } from '../told/record.ts'
import { longestText } from './decode.ts'
import { readLines } from './lines.ts'
import { readValues } from './values.ts'

/** A conversation of a file: its text, or why it cannot be read. */
export type Item = { readonly place: string } & (
  | { readonly text: string; readonly fault?: never }
  | { readonly text: null; readonly fault: string }
)

/** The file itself cannot be imported. Only the sentence is shown. */
export class FileError extends Error {}

/**
 * The conversations of a file, one at a time. A file has one JSON value a line, or JSON of any layout: a list of
 * conversations, one conversation, or a list of messages, which is one conversation.
 *
 * @param onRead is told how much of the file is read, from 0 to 1
 * @throws FileError, and the error of the system if the file cannot be read
 */
export async function* readItems(path: string, onRead: (part: number) => void): AsyncGenerator<Item, void, undefined> {
  const { layout, size } = await readLayout(path)
  let read = 0
  const count = (bytes: number) => {
    read += bytes
    // Somebody may still write to the file.
    onRead(Math.min(read / size, 1))
  }
  if (layout === 'lines') {
    for await (const { number, ...line } of readLines(path, count)) yield { place: `Line ${number}`, ...line }
    return
  }
  let gathered: { readonly place: string; readonly texts: string[]; bytes: number } | null = null
  for await (const value of readValues(path, count)) {
    if (value.kind === 'end') {
      if (gathered !== null) yield finish(gathered)
      gathered = null
      continue
    }
    const { line, index, text } = value
    const place = index === null ? `Line ${line}` : `Line ${line}, [${index}]`
    if (text === null) yield { place, text, fault: value.fault }
    else if (index !== null && isMessage(parseJson(text))) {
      gathered ??= { place: `Line ${line}`, texts: [], bytes: 0 }
      gathered.bytes += text.length
      if (gathered.bytes <= longestText) gathered.texts.push(text)
    } else yield { place, text }
  }
  if (gathered !== null)
    yield { place: gathered.place, text: null, fault: 'the file ends within this list of messages.' }
}

function finish({ place, texts, bytes }: { place: string; texts: readonly string[]; bytes: number }): Item {
  if (bytes > longestText) {
    return { place, text: null, fault: `has ${bytes} characters, and at most ${longestText} are read.` }
  }
  return { place, text: `[${texts.join(',')}]` }
}

/** Bytes. The layout of a file shows in its first lines. */
const headBytes = 64 * 1024

/** @throws FileError */
async function readLayout(path: string): Promise<{ layout: 'lines' | 'values'; size: number }> {
  await using file = await open(path)
  const about = await file.stat()
  if (about.isDirectory()) throw new FileError(`${path} is a folder: name one file.`)
  // The file is read twice: its first lines, and then all of it.
  if (!about.isFile()) throw new FileError(`${path} is not a file on a disk: save what it holds in one.`)
  const head = Buffer.alloc(headBytes)
  let bytes = 0
  for (let read = -1; read !== 0 && bytes < headBytes; bytes += read) {
    read = (await file.read(head, bytes, headBytes - bytes)).bytesRead
  }
  const start = head.subarray(0, bytes)
  for (const [signs, sentence] of notText) {
    if (signs.some((sign) => start.indexOf(Buffer.from(sign)) === 0)) throw new FileError(`${path} ${sentence}`)
  }
  const text = new TextDecoder('utf-8').decode(start)
  if (text.trim() === '' && bytes < headBytes) throw new FileError(`${path} is empty.`)
  return { layout: layoutOf(text.trimStart()), size: about.size }
}

/** How files begin that are no JSON in UTF-8. */
const notText: readonly (readonly [number[][], string])[] = [
  [
    [
      [0x50, 0x4b, 3, 4],
      [0x50, 0x4b, 5, 6],
    ],
    'is a ZIP file: unpack it, and import the file conversations.json in it.',
  ],
  [[[0x1f, 0x8b]], 'is packed with gzip: unpack it first.'],
  [
    [
      [0xff, 0xfe],
      [0xfe, 0xff],
    ],
    'is UTF-16: save it as UTF-8 first.',
  ],
]

function layoutOf(head: string): 'lines' | 'values' {
  const [first = '', second = ''] = head.split('\n').filter((line) => line.trim() !== '')
  const value = parseJson(first)
  if (first.startsWith('[')) return Array.isArray(value) && value.some(isMessage) ? 'lines' : 'values'
  if (!first.startsWith('{') || value !== undefined || first === head) return 'lines'
  // In a file with one value a line the first line may be the faulty one.
  return second.startsWith('{') && isRecord(parseJson(second)) ? 'lines' : 'values'
}
