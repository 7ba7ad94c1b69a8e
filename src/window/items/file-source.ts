import type { File, FileSource, Raw } from './item.ts'
import { asText } from './json.ts'
import { mediaTypeOf } from './media-type.ts'

/** @param url of any scheme; a `data:` URL is taken apart into its bytes and its media type */
export function fileByUrl(url: string, mediaType: string, filename: unknown, raw: Raw): File {
  const data = readDataUrl(url)
  if (data !== null) return makeFile(bytes(data.base64), data.type || mediaType, filename, null, raw)
  const address = readAddress(url)
  return makeFile(address === null ? none : { kind: 'url', url: address }, mediaType, filename, address, raw)
}

export function fileByBytes(base64: string, mediaType: string, filename: unknown, raw: Raw): File {
  return makeFile(bytes(base64), mediaType, filename, null, raw)
}

export function fileByText(text: string, mediaType: string, filename: unknown, raw: Raw): File {
  return fileByBytes(Buffer.from(text).toString('base64'), mediaType || 'text/plain', filename, raw)
}

/** @param data a `data:` URL, or plain base64 */
export function fileByData(data: string, mediaType: string, filename: unknown, raw: Raw): File {
  return isDataUrl(data) ? fileByUrl(data, mediaType, filename, raw) : fileByBytes(data, mediaType, filename, raw)
}

/** @param reference what names the file that lies with its provider */
export function fileElsewhere(reference: unknown, mediaType: string, filename: unknown, raw: Raw): File {
  const isNamed = typeof reference === 'object' ? reference !== null : asText(reference) !== null && reference !== ''
  return makeFile(isNamed ? { kind: 'provider' } : none, mediaType, filename, null, raw)
}

function makeFile(source: FileSource, named: string, filename: unknown, url: string | null, raw: Raw): File {
  const base64 = source.kind === 'bytes' ? source.base64 : null
  const mediaType = mediaTypeOf({ named, name: asText(filename) ?? url, base64 })
  return { kind: 'file', mediaType, filename: asText(filename), source, raw }
}

/** @returns a `data:` URL when the file's bytes are known; null when the file has no address that a model can read */
export function urlOf({ source, mediaType }: File): string | null {
  if (source.kind === 'url') return source.url
  return source.kind === 'bytes' ? `data:${mediaType};base64,${source.base64}` : null
}

export function isImage(file: File): boolean {
  return file.mediaType.startsWith('image/')
}

export function isPdf(file: File): boolean {
  return file.mediaType === 'application/pdf'
}

/** A file of any kind of text, whose bytes are there: its text. */
export function textOfFile({ source, mediaType }: File): string | null {
  if (source.kind !== 'bytes' || !mediaType.startsWith('text/')) return null
  return Buffer.from(source.base64, 'base64').toString()
}

const none: FileSource = { kind: 'none' }

function bytes(given: string | null): FileSource {
  const base64 = given === null ? null : readBase64(given)
  return base64 === null ? none : { kind: 'bytes', base64 }
}

/**
 * An address that a provider, or the AI SDK, fetches. The scheme is written in small letters, and white space as the URL
 * standard writes it. User names and passwords are refused, as `fetch` refuses them.
 */
function readAddress(text: string): string | null {
  const [, scheme, rest = ''] = /^\s*(https?):\/\/(.+)$/is.exec(text) ?? []
  if (scheme === undefined || !URL.canParse(text)) return null
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return null
  return /\s/.test(text) ? url.href : `${scheme.toLowerCase()}://${rest}`
}

function isDataUrl(text: string): boolean {
  return /^\s*data:/i.test(text)
}

/** @returns `base64` null when the data are not well-formed; null for a URL of another scheme */
function readDataUrl(url: string): { readonly type: string; readonly base64: string | null } | null {
  if (!isDataUrl(url)) return null
  const [colon, comma] = [url.indexOf(':'), url.indexOf(',')]
  const header = url.slice(colon + 1, comma === -1 ? undefined : comma).split(';')
  const type = header[0]?.trim() ?? ''
  if (comma === -1) return { type, base64: null }
  const data = url.slice(comma + 1)
  const isBase64 = header.length > 1 && header.at(-1)?.trim().toLowerCase() === 'base64'
  if (isBase64) return { type, base64: data.includes('%') ? unescapePercent(data) : data }
  const text = unescapePercent(data)
  return { type, base64: text === null ? null : Buffer.from(text, 'latin1').toString('base64') }
}

/** @returns one character for each byte; null when a `%` stands without two digits */
function unescapePercent(data: string): string | null {
  if (/%(?![0-9a-f]{2})/i.test(data)) return null
  const latin1 = Buffer.from(data).toString('latin1')
  return latin1.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/**
 * Base64 as the providers take it, with its padding and without white space; also from the alphabet of URLs. null for
 * any other text. A text that is right already costs one look at each character.
 */
function readBase64(text: string): string | null {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) return text
  const bare = text
    .replace(/\s+/g, '')
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  if (bare.length % 4 === 1 || !/^[A-Za-z0-9+/]+$/.test(bare)) return null
  return bare.padEnd(Math.ceil(bare.length / 4) * 4, '=')
}
