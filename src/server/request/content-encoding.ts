import { brotliDecompress, constants, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib'
import { type ApiError, badInput, tooLarge } from '../../errors.ts'

interface Options {
  readonly maxOutputLength: number
  readonly rejectGarbageAfterEnd: boolean
}

type Unpacker = (body: Buffer, options: Options, done: (error: Error | null, unpacked: Buffer) => void) => void

/** RFC 9659: a body has a window of at most 8 MiB. Without this limit a body of few bytes could take 128 MiB. */
const zstdWindow = { [constants.ZSTD_d_windowLogMax]: 23 }

const unpackers: Readonly<Record<string, Unpacker>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  // The name means data with a header of zlib. Some clients send the data alone.
  deflate: (body, options, done) => (hasZlibHeader(body) ? inflate : inflateRaw)(body, options, done),
  br: brotliDecompress,
  zstd: (body, options, done) => zstdDecompress(body, { ...options, params: zstdWindow }, done),
  identity: (body, _options, done) => done(null, body),
}

/** The encodings that bodies may have, as the header `accept-encoding` of an answer lists them (RFC 9110, 12.5.3). */
export const takenEncodings = 'gzip, deflate, br, zstd'

/** @param encoding the request's header. A body that is packed more than once is not taken */
export function takesEncoding(encoding: string): boolean {
  return Object.hasOwn(unpackers, nameOf(encoding))
}

/**
 * Unpacks a body, off the main thread. It stops at the limit: a body of few bytes that would unpack to gigabytes costs no
 * more than a body of the limit.
 *
 * @param encoding the request's header, which `takesEncoding`
 * @param limit in bytes
 * @param done is told PAYLOAD_TOO_LARGE or BAD_USER_INPUT, or gets the unpacked body
 */
export function unpack(
  body: Buffer,
  encoding: string,
  limit: number,
  done: (error: ApiError | null, unpacked: Buffer) => void,
): void {
  const name = nameOf(encoding)
  // A gzip body may have several members. What follows the end of another body is no part of it.
  const options = { maxOutputLength: limit, rejectGarbageAfterEnd: !name.endsWith('gzip') }
  const unpacker = unpackers[name] as Unpacker
  unpacker(body, options, (error, unpacked) => {
    if (error === null) return done(null, unpacked)
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    done(
      isTooLarge ? tooLarge('body', 'bytes or more', limit, limit + 1) : badInput('body', `is not valid ${name}.`),
      body,
    )
  })
}

function nameOf(encoding: string): string {
  return encoding.trim().toLowerCase() || 'identity'
}

/** RFC 1950: the low four bits of the header say deflate, and its two bytes are a multiple of 31. */
function hasZlibHeader(body: Buffer): boolean {
  return body.length > 1 && ((body[0] as number) & 0x0f) === 8 && body.readUInt16BE() % 31 === 0
}
