import { readFile } from 'node:fs/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config.ts'
import { type WebFile, WebFiles } from './web-files.ts'
import { webFailure, webFolder } from './web-folder.ts'
import { renderWaitingPage, webPolicy } from './web-page.ts'

export interface WebOptions {
  readonly web: Config['web']
  /** Whether callers name their own user, as in development. */
  readonly isOpen: boolean
  /** What answers in conversations of the page; null: nobody by itself. */
  readonly assistant: 'scripted' | 'model' | null
  /** A page of a user was opened, or has connected anew. */
  readonly onOpened: (userId: string) => void
}

/**
 * Serves the page at `/`, the console at `/console`, and the files of both below `/web/`. All addresses are relative, so it also works below a path of a proxy. The
 * names of the files contain their hash, so browsers may keep them for ever.
 */
export function registerWeb(app: FastifyInstance, { web, isOpen, assistant, onOpened }: WebOptions): void {
  const files = new WebFiles(webFolder)
  const headers = { ...securityHeaders, 'content-security-policy': webPolicy(web) }
  const { tokenUrl = null, openId = null, pictures } = web
  const settings = { isOpen, tokenUrl, openId, assistant, pictures }

  const answerDocument = async (request: FastifyRequest, reply: FastifyReply) => {
    const document = await files.readDocument()
    reply.headers(headers).header('cache-control', 'no-cache')
    if (document !== null) return sendFile(request, reply, document)
    const failure = await readFile(webFailure, 'utf8').catch(() => null)
    return reply.code(503).header('retry-after', '2').type('text/html; charset=utf-8').send(renderWaitingPage(failure))
  }
  // The document shows one or the other by its address.
  app.get('/', answerDocument)
  app.get('/console', answerDocument)

  app.get('/web/settings.json', async (request) => {
    const user = request.headers['x-user-id']
    if (isOpen && typeof user === 'string') onOpened(Buffer.from(user, 'latin1').toString())
    return settings
  })

  app.get<{ Params: { name: string } }>('/web/:name', async (request, reply) => {
    const file = await files.readAsset(request.params.name)
    if (file === null) return reply.callNotFound()
    reply.headers(headers).header('cache-control', 'public, max-age=31536000, immutable')
    return sendFile(request, reply, file)
  })
}

// The referrer policy is not `no-referrer`: see GraphiQL's.
const securityHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

function sendFile(request: FastifyRequest, reply: FastifyReply, { type, etag, ...bodies }: WebFile): FastifyReply {
  reply.header('etag', etag).header('vary', 'accept-encoding').type(type)
  if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
  const accepted = request.headers['accept-encoding'] ?? ''
  if (/\bbr\b/.test(accepted)) return reply.header('content-encoding', 'br').send(bodies.brotli)
  if (/\bgzip\b/.test(accepted)) return reply.header('content-encoding', 'gzip').send(bodies.gzip)
  return reply.send(bodies.plain)
}
