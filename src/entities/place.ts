import { formatUuid, readBase64url, writeUuid } from './bytes.ts'

/** A place in one life of one conversation: which conversation, which life, how far. */
export interface Place {
  readonly key: string
  readonly epoch: number
  readonly seq: number
}

const version = 1
const placeBytes = 1 + 16 + 6 + 4

/** The bytes of (version, key, epoch, seq), followed by `more` zero bytes for the caller to fill. */
export function packPlace(place: Place, more = 0): Buffer {
  const bytes = Buffer.alloc(placeBytes + more)
  headOf(place).copy(bytes)
  bytes.writeInt32BE(place.seq, 23)
  return bytes
}

/** The head that was made last: the messages of a page have all the same. */
let last = { key: '', epoch: 0, head: Buffer.alloc(0) }

function headOf({ key, epoch }: Place): Buffer {
  if (last.key === key && last.epoch === epoch) return last.head
  const head = Buffer.alloc(23)
  head[0] = version
  writeUuid(head, key, 1)
  head.writeUIntBE(epoch, 17, 6)
  last = { key, epoch, head }
  return head
}

/** Undoes `packPlace`: the place and the bytes behind it; null for anything else. */
export function unpackPlace(text: string): { place: Place; rest: Buffer } | null {
  const bytes = readBase64url(text)
  if (bytes === null || bytes.length < placeBytes || bytes[0] !== version) return null
  const seq = bytes.readInt32BE(23)
  if (seq < 0) return null
  return {
    place: { key: formatUuid(bytes.subarray(1, 17)), epoch: bytes.readUIntBE(17, 6), seq },
    rest: bytes.subarray(placeBytes),
  }
}
