import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'

/** A file of the page, as it is and as it was compressed when it was built. */
export interface WebFile {
  readonly type: string
  readonly etag: string
  readonly plain: Buffer
  readonly brotli: Buffer
  readonly gzip: Buffer
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The page that was built. What was read of it is kept, but for the document, which another build replaces. */
export class WebFiles {
  readonly #folder: URL
  readonly #assets = new Map<string, WebFile>()

  constructor(folder: URL) {
    this.#folder = folder
  }

  /** null: the page is not built. */
  readDocument(): Promise<WebFile | null> {
    return unlessMissing(readOne(new URL('index.html', this.#folder)))
  }

  /** A file that the build has written beside the document; null: there is none of that name, whatever path it names. */
  async readAsset(name: string): Promise<WebFile | null> {
    const known = this.#assets.get(name)
    if (known !== undefined) return known
    const assets = new URL('web/', this.#folder)
    const names = await unlessMissing(readdir(assets))
    if (!names?.includes(name) || !(extname(name) in types)) return null
    const file = await unlessMissing(readOne(new URL(name, assets)))
    if (file !== null) this.#assets.set(name, file)
    return file
  }
}

async function readOne(url: URL): Promise<WebFile> {
  const [plain, brotli, gzip] = await Promise.all([
    readFile(url),
    readFile(new URL(`${url}.br`)),
    readFile(new URL(`${url}.gz`)),
  ])
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return { type: types[extname(url.pathname)] as string, etag, plain, brotli, gzip }
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}
