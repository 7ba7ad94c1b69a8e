import type { File, Raw } from './item.ts'
import { asText } from './json.ts'

/** @param url of any scheme; a `data:` URL is taken apart into its bytes and its media type */
export function fileByUrl(url: string, mediaType: string, filename: unknown, raw: Raw): File {
  const [, type, base64] = /^data:([^;,]*)(?:;[^;,]*)*;base64,(.*)$/s.exec(url) ?? []
  const source = base64 === undefined ? { url } : { base64 }
  return { kind: 'file', mediaType: type || mediaType, filename: asText(filename), source, raw }
}

export function fileByBytes(base64: string, mediaType: string, filename: unknown, raw: Raw): File {
  return { kind: 'file', mediaType, filename: asText(filename), source: { base64 }, raw }
}

/** @param data a `data:` URL, or plain base64 */
export function fileByData(data: string, mediaType: string, filename: unknown, raw: Raw): File {
  return data.startsWith('data:')
    ? fileByUrl(data, mediaType, filename, raw)
    : fileByBytes(data, mediaType, filename, raw)
}

/** A file that lies with its provider. */
export function fileElsewhere(mediaType: string, filename: unknown, raw: Raw): File {
  return { kind: 'file', mediaType, filename: asText(filename), source: null, raw }
}

/** @returns a `data:` URL when the file's bytes are known; null when the file lies with its provider */
export function urlOf(file: File): string | null {
  if (file.source === null) return null
  return 'url' in file.source ? file.source.url : `data:${fullMediaType(file)};base64,${file.source.base64}`
}

export function isImage(file: File): boolean {
  return file.mediaType.startsWith('image/')
}

export function isPdf(file: File): boolean {
  return file.mediaType === 'application/pdf'
}

/** Guesses the media type of a document from the end of its name, for a dialect that does not name the type. */
export function documentType(name: unknown): string {
  return /\.pdf$/i.test(asText(name) ?? '') ? 'application/pdf' : 'application/octet-stream'
}

function fullMediaType(file: File): string {
  return file.mediaType === 'image/*' ? 'image/png' : file.mediaType
}
