import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { gunzip, gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import type { Identity } from '../../config.ts'
import { icon, renderGraphiqlPage, renderGraphiqlScript, stylesheet } from './graphiql-page.ts'

export interface GraphiqlOptions {
  /** Where GraphQL is served, HTTP and WebSocket alike, beginning with a slash. */
  graphqlPath: string
  /** undefined: development. Otherwise the Headers editor asks for what callers have to send. */
  identity: Identity | undefined
}

/**
 * Serves GraphiQL at `/graphiql` and its files below that path, all from this origin. The path of the files contains their hash, so
 * browsers may keep them for ever. The server loads the files at the first visit.
 */
export function registerGraphiql(app: FastifyInstance, options: GraphiqlOptions): void {
  let loading: Promise<Assets> | undefined
  const load = (): Promise<Assets> => {
    loading ??= loadAssets(options).catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }

  app.get('/graphiql', async (_request, reply) => {
    const { hash } = await load()
    return reply
      .headers(securityHeaders)
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8')
      .send(renderGraphiqlPage(`graphiql/${hash}/`))
  })

  app.get<{ Params: { hash: string; name: string } }>('/graphiql/:hash/:name', async (request, reply) => {
    const { hash, files } = await load()
    const file = files.get(request.params.name)
    if (request.params.hash !== hash || !file) return reply.callNotFound()
    const acceptsGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
    if (acceptsGzip) reply.header('content-encoding', 'gzip')
    return reply
      .headers(securityHeaders)
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('vary', 'accept-encoding')
      .type(contentType(request.params.name))
      .send(acceptsGzip ? file : await promisify(gunzip)(file))
  })
}

// Monaco, GraphiQL's editor, writes styles into the document, and its fonts are data in the stylesheet. The referrer policy is not
// `no-referrer`: older browsers would then send `Origin: null` with a POST, which the server refuses.
const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "connect-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** `files` are gzipped, by name. */
interface Assets {
  hash: string
  files: Map<string, Uint8Array>
}

/** The worker lies beside this file and has its ending: .ts when Node runs TypeScript, .js when it was built. */
const workerFile = new URL(`./graphiql-worker${extname(import.meta.url)}`, import.meta.url)

async function loadAssets(options: GraphiqlOptions): Promise<Assets> {
  const { resolve } = createRequire(import.meta.url)
  const graphqlWs = join(resolve('graphql-ws'), '../../umd/graphql-ws.min.js')
  const own = { 'icon.svg': icon, 'page.css': stylesheet, 'page.js': renderGraphiqlScript(options) }
  const files = await compressBundle()
  files.set('graphql-ws.js', gzipSync(await readFile(graphqlWs)))
  for (const [name, text] of Object.entries(own)) files.set(name, gzipSync(text))
  const hash = createHash('sha256')
  for (const file of files.values()) hash.update(file)
  return { hash: hash.digest('base64url').slice(0, 16), files }
}

// The bundle is a module of 9 MB that exports text. A thread imports it, compresses it and ends, which keeps 75 ms off the event loop
// and 25 MB out of the process.
async function compressBundle(): Promise<Map<string, Uint8Array>> {
  const [files] = (await once(new Worker(workerFile, { execArgv: [] }), 'message')) as [Map<string, Uint8Array>]
  return files
}

function contentType(name: string): string {
  if (name.endsWith('.css')) return 'text/css; charset=utf-8'
  return name.endsWith('.svg') ? 'image/svg+xml' : 'text/javascript; charset=utf-8'
}
