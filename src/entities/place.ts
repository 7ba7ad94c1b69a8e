import { formatUuid, readBase64url, writeUuid } from './bytes.ts'

/** A place in one life of one conversation: which conversation, which life, how far. */
export interface Place {
  readonly key: string
  readonly epoch: number
  readonly seq: number
}

const version = 1
/** Version, key and epoch. */
const headBytes = 1 + 16 + 6
/** And the seq. */
const placeBytes = headBytes + 4

/** What the places of one life of a conversation have in common. */
export interface PlaceHead {
  readonly bytes: Buffer
  /** The 184 bits of `bytes` are 30 characters of base64url and 4 bits, with which the next character begins. */
  readonly text: string
  readonly bits: number
}

export function placeHead({ key, epoch }: Pick<Place, 'key' | 'epoch'>): PlaceHead {
  const bytes = Buffer.alloc(headBytes)
  bytes[0] = version
  writeUuid(bytes, key, 1)
  bytes.writeUIntBE(epoch, 17, 6)
  return { bytes, text: bytes.toString('base64url').slice(0, 30), bits: bytes.readUInt8(22) << 2 }
}

/** The bytes of (version, key, epoch, seq), followed by `more` zero bytes for the caller to fill. */
export function packPlace(head: PlaceHead, seq: number, more = 0): Buffer {
  const bytes = Buffer.alloc(placeBytes + more)
  head.bytes.copy(bytes)
  bytes.writeInt32BE(seq, headBytes)
  return bytes
}

/**
 * The base64url of `packPlace`, without its bytes, whose making cost four times as much: a page has fifty ids. Of the 36
 * characters only the last six hold anything of the seq.
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

/** The character for the last six bits. */
function digitOf(value: number): number {
  return digits[value & 63] as number
}

/** Undoes `packPlace`: the place and the bytes behind it; null for anything else. */
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
