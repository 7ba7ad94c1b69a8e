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

/** The bytes of (version, key, epoch, seq), followed by `more` zero bytes for the caller to fill. */
export function packPlace(place: Place, more = 0): Buffer {
  const bytes = Buffer.alloc(placeBytes + more)
  headOf(place).bytes.copy(bytes)
  bytes.writeInt32BE(place.seq, headBytes)
  return bytes
}

/**
 * The base64url of `packPlace`, without its bytes, whose making cost four times as much: a page has fifty ids. Of the 36
 * characters only the last six hold anything of the seq.
 */
export function placeText(place: Place): string {
  const { text, bits } = headOf(place)
  const { seq } = place
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

/** What the places of one life of a conversation have in common. */
interface Head {
  readonly key: string
  readonly epoch: number
  readonly bytes: Buffer
  /** Its 184 bits are 30 characters and 4 bits, which begin the next one. */
  readonly text: string
  readonly bits: number
}

/** The one that was made last: the messages of a page have all the same. */
let last: Head | undefined

function headOf({ key, epoch }: Place): Head {
  if (last?.key === key && last.epoch === epoch) return last
  const bytes = Buffer.alloc(headBytes)
  bytes[0] = version
  writeUuid(bytes, key, 1)
  bytes.writeUIntBE(epoch, 17, 6)
  last = { key, epoch, bytes, text: bytes.toString('base64url').slice(0, 30), bits: bytes.readUInt8(22) << 2 }
  return last
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
