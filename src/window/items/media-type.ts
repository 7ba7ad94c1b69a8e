/** What is said of a file's type, and what may tell it better. */
export interface TypeHints {
  /** In any spelling; empty when no type is named. */
  readonly named: string
  /** A name or a URL, whose suffix may tell a type that is not named. */
  readonly name: string | null
  readonly base64: string | null
}

/**
 * The media type in the spelling of the providers: lower case, without parameters. The first bytes tell it where they
 * are known, because providers refuse a picture with the type of another one. `image/*` stays where nothing tells more.
 */
export function mediaTypeOf({ named, name, base64 }: TypeHints): string {
  const type = spell(named)
  const seen = base64 === null || type.startsWith('text/') ? null : typeOfBytes(base64)
  if (seen !== null) return seen
  if (type !== unknown && !type.endsWith('/*')) return type
  const told = suffixes.get(/\.(\w+)$/.exec(pathOf(name))?.[1]?.toLowerCase() ?? '')
  return told !== undefined && (type === unknown || told.startsWith(type.slice(0, -1))) ? told : type
}

export const unknown = 'application/octet-stream'

function spell(named: string): string {
  const type = (named.split(';')[0] ?? '').trim().toLowerCase()
  return spellings.get(type) ?? (/^[\w.+-]+\/(\*|[\w.+-]+)$/.test(type) ? type : unknown)
}

/** Other spellings that browsers, systems and SDKs use. `image` alone is the AI SDK's word for a picture. */
const spellings: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'image/jpeg': ['image/jpg', 'image/pjpeg', 'image/x-jpeg', 'image/jfif'],
    'image/png': ['image/x-png'],
    'image/webp': ['image/x-webp'],
    'image/gif': ['image/x-gif'],
    'image/svg+xml': ['image/svg', 'image/svg-xml'],
    'image/*': ['image'],
    'audio/*': ['audio'],
    'video/*': ['video'],
    'audio/wav': ['audio/x-wav', 'audio/wave', 'audio/vnd.wave', 'audio/x-pn-wav'],
    'audio/mpeg': ['audio/mp3', 'audio/x-mp3', 'audio/mpeg3', 'audio/x-mpeg', 'audio/x-mpeg-3'],
    'application/pdf': ['application/x-pdf', 'application/acrobat'],
    'text/markdown': ['text/x-markdown'],
    'text/csv': ['application/csv'],
    [unknown]: ['binary/octet-stream', 'application/*', '*/*'],
  }).flatMap(([type, others]) => others.map((other) => [other, type])),
)

const suffixes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'image/png': ['png'],
    'image/jpeg': ['jpg', 'jpeg', 'jpe', 'jfif'],
    'image/gif': ['gif'],
    'image/webp': ['webp'],
    'image/svg+xml': ['svg', 'svgz'],
    'image/bmp': ['bmp'],
    'image/tiff': ['tif', 'tiff'],
    'image/heic': ['heic', 'heif'],
    'image/avif': ['avif'],
    'image/x-icon': ['ico'],
    'audio/wav': ['wav'],
    'audio/mpeg': ['mp3'],
    'audio/ogg': ['ogg', 'oga', 'opus'],
    'audio/flac': ['flac'],
    'audio/mp4': ['m4a'],
    'audio/webm': ['weba'],
    'video/mp4': ['mp4', 'm4v'],
    'video/webm': ['webm'],
    'video/quicktime': ['mov'],
    'application/pdf': ['pdf'],
    'application/json': ['json'],
    'application/xml': ['xml'],
    'application/rtf': ['rtf'],
    'application/zip': ['zip'],
    'application/msword': ['doc'],
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
    'application/vnd.oasis.opendocument.text': ['odt'],
    'application/vnd.ms-powerpoint': ['ppt'],
    'application/vnd.openxmlformats-officedocument.presentationml.presentation': ['pptx'],
    'application/vnd.ms-excel': ['xls'],
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['xlsx'],
    'text/plain': ['txt', 'log', 'text'],
    'text/markdown': ['md', 'markdown'],
    'text/html': ['html', 'htm'],
    'text/csv': ['csv'],
    'text/tab-separated-values': ['tsv'],
  }).flatMap(([type, names]) => names.map((name) => [name, type])),
)

function pathOf(name: string | null): string {
  if (name === null) return ''
  return URL.canParse(name) ? new URL(name).pathname : name
}

/** Enough for all that `typeOfBytes` looks at. */
const prefixLength = 256

function typeOfBytes(base64: string): string | null {
  const bytes = Buffer.from(base64.slice(0, prefixLength), 'base64')
  const hex = bytes.toString('hex')
  const [type] = signatures.find(([, signature]) => signature.test(hex)) ?? []
  return type ?? (svg.test(bytes.toString()) ? 'image/svg+xml' : null)
}

/** The first bytes as hexadecimal digits, of types whose first bytes no other file has. */
const signatures: readonly (readonly [type: string, RegExp])[] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^474946383[79]61/],
  ['image/webp', /^52494646.{8}57454250/],
  ['image/bmp', /^424d.{8}0{8}/],
  ['image/tiff', /^(49492a00|4d4d002a)/],
  ['image/avif', /^000000..66747970617669(66|73)/],
  ['image/heic', /^000000..66747970(686569|686576|6d696631|6d736631)/],
  ['application/pdf', /^255044462d/],
  ['audio/wav', /^52494646.{8}57415645/],
  ['audio/mpeg', /^4944330[234]/],
]

const svg = /^\uFEFF?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg|<svg)/is
