import type { File } from '../items/item.ts'

/**
 * Pictures that both APIs of OpenAI take: PNG, JPEG, WebP, and GIF without animation. Of a picture at a URL the type may
 * be unknown.
 *
 * Source: https://developers.openai.com/api/docs/guides/images-vision, "Image input requirements", 2026-11.
 */
export function isOpenAiPicture(file: File): boolean {
  if (file.source.kind !== 'bytes') return file.mediaType === 'image/*' || pictures.has(file.mediaType)
  return pictures.has(file.mediaType) && !isAnimated(file.source.base64)
}

const pictures: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif'])

/** At most 1,500 pictures in a request. Source: the same page. */
export const mostOpenAiPictures = 1_500

/** An animation says near the beginning of a GIF how often it is repeated, in an extension of one of these names. */
function isAnimated(base64: string): boolean {
  const beginning = Buffer.from(base64.slice(0, 4_096), 'base64').toString('latin1')
  return beginning.startsWith('GIF8') && /NETSCAPE2\.0|ANIMEXTS1\.0/.test(beginning)
}

/**
 * Documents that the Responses API takes: PDF, any text or code, rich documents, presentations and spreadsheets. Of a
 * document at a URL the type may be unknown. Chat completions take PDF only.
 *
 * Source: https://developers.openai.com/api/docs/guides/file-inputs, "Accepted file types", 2026-11.
 */
export function isOpenAiDocument({ source, mediaType }: File): boolean {
  if (mediaType === 'application/octet-stream') return source.kind === 'url'
  return mediaType.startsWith('text/') || documents.has(mediaType)
}

const documents: ReadonlySet<string> = new Set([
  'application/pdf',
  'application/json',
  'application/xml',
  'application/yaml',
  'application/x-yaml',
  'application/toml',
  'application/sql',
  'application/x-sql',
  'application/javascript',
  'application/typescript',
  'application/x-sh',
  'application/x-powershell',
  'application/x-rust',
  'application/x-scala',
  'application/rtf',
  'application/msword',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.oasis.opendocument.text',
  'application/vnd.apple.pages',
  'application/vnd.ms-powerpoint',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/vnd.apple.keynote',
  'application/vnd.ms-excel',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.apple.iwork',
  'application/x-iif',
  'message/rfc822',
])
