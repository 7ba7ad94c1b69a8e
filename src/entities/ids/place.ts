import { formatUuid, readBase64url, writeUuid } from './bytes.ts'

/**
 * A place in a conversation. The `epoch` says which one is meant of several conversations that had the same key, one
 * after the other.
 */
export interface Place {
  readonly key: string
  readonly epoch: number
  readonly seq: number
}

const version = 1
/** The version, the key and the epoch. */
const headBytes = 1 + 16 + 6
/** The same, and the seq. */
const placeBytes = headBytes + 4

/** The bytes of (version, key, epoch, seq), followed by `more` zero bytes for the caller to fill. */
export function packPlace({ key, epoch, seq }: Place, more = 0): Buffer {
  const bytes = Buffer.alloc(placeBytes + more)
  writeHead(bytes, key, epoch)
  bytes.writeInt32BE(seq, headBytes)
  return bytes
}

function writeHead(bytes: Buffer, key: string, epoch: number): void {
  bytes[0] = version
  writeUuid(bytes, key, 1)
  bytes.writeUIntBE(epoch, 17, 6)
}

/** The part of `placeText` that all places of the same key and epoch have in common. */
export interface PlaceHead {
  /** The first 30 characters: they hold 180 of the 184 bits of version, key and epoch. */
  readonly text: string
  /** The last 4 of the 184 bits: they are the first bits of the next character. */
  readonly bits: number
}

export function placeHead({ key, epoch }: Pick<Place, 'key' | 'epoch'>): PlaceHead {
  const bytes = Buffer.alloc(headBytes)
  writeHead(bytes, key, epoch)
  return { text: bytes.toString('base64url').slice(0, 30), bits: bytes.readUInt8(22) << 2 }
}

/**
 * The same text as the base64url of `packPlace`, but made without a buffer: with a buffer it took four times as long,
 * and a page has fifty ids. Only the last six of the 36 characters depend on the seq.
 */
export function placeText({ text, bits }: PlaceHead, seq: number): string {
  return (
    text +
    String.fromCharCode(
      digitOf(bits | (seq >>> 30)),
      digitOf(seq >>> 24),
      digitOf(seq >>> 18),
      digitOf(seq >>> 12),
      digitOf(seq >>> 6),
      digitOf(seq),
    )
  )
}

const digits = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

/** The character code of the base64url digit for the last six bits of `value`. */
function digitOf(value: number): number {
  return digits[value & 63] as number
}

/** Reads the base64url of `packPlace`: the place, and the bytes behind it. null when the text is no such base64url. */
export function unpackPlace(text: string): { place: Place; rest: Buffer } | null {
  const bytes = readBase64url(text)
  if (bytes === null || bytes.length < placeBytes || bytes[0] !== version) return null
  const seq = bytes.readInt32BE(headBytes)
  if (seq < 0) return null
  return {
    place: { key: formatUuid(bytes.subarray(1, 17)), epoch: bytes.readUIntBE(17, 6), seq },
    rest: bytes.subarray(placeBytes),
  }
}
