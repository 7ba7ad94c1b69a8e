import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { viewerOf } from '../../auth/authenticate.ts'
import type { Viewer } from '../../auth/viewer.ts'
import { ApiError, badInput } from '../../errors.ts'
import { beginRequest, within } from '../../observe/spans.ts'
import { Outcome } from '../operation/outcome.ts'
import { type Authentication, authenticateFrom } from '../rate/authenticate-from.ts'
import type { BodyLimits } from '../request/body-limits.ts'
import { takenEncodings, takesEncoding, unpack } from '../request/content-encoding.ts'
import { readHeaders } from '../request/credentials.ts'
import { parseExactJson, parseInTurns } from '../request/exact-json.ts'

/** Who sends a request, once its credentials were accepted. */
export interface KnownCaller {
  readonly viewer: Viewer
  /** When the credentials expire, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

/**
 * Adds routes for known callers; no other routes read bodies. The credentials are verified first, and an unknown caller
 * is refused before anything of the body is read.
 */
export function forKnownCallers(
  app: FastifyInstance,
  use: Authentication & { readonly config: { readonly limits: BodyLimits } },
  addRoutes: (known: FastifyInstance) => void,
): void {
  app.register(async (known) => {
    known.addHook('onRequest', async (request, reply) => {
      const { method, headers, routeOptions } = request
      request.outcome = new Outcome()
      request.traced = beginRequest(`${method} ${routeOptions.url}`, headers, {
        'http.request.method': method,
        'http.route': routeOptions.url,
        'colloquy.request.id': request.id,
      })
      const caller = await within(request.traced, () => authenticateFrom(request.raw, readHeaders(headers), use))
      request.caller = { viewer: viewerOf(caller), expiresAt: caller.expiresAt }
      requireEncoding(request, reply)
      if (request.headers.expect !== undefined) reply.raw.writeContinue()
    })
    known.removeAllContentTypeParsers()
    known.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      const encoding = request.headers['content-encoding']
      if (encoding === undefined) return parse(body, use.config.limits, done)
      unpack(body, encoding, request.routeOptions.bodyLimit, (error, unpacked) => {
        if (error === null) parse(unpacked, use.config.limits, done)
        else done(error)
      })
    })
    addRoutes(known)
  })
}

/** What becomes of a request to a route of `forKnownCallers`. */
export function outcomeOf({ outcome }: FastifyRequest): Outcome {
  if (outcome === null) throw new Error('This route is not one for known callers.')
  return outcome
}

/** The caller of a request to a route of `forKnownCallers`. */
export function callerOf({ caller }: FastifyRequest): KnownCaller {
  if (caller === null) throw new Error('This route is not one for known callers.')
  return caller
}

function requireEncoding({ headers }: FastifyRequest, reply: FastifyReply): void {
  const encoding = headers['content-encoding']
  if (encoding === undefined || takesEncoding(encoding)) return
  reply.header('accept-encoding', takenEncodings)
  const error = badInput('content-encoding', `must be one of ${takenEncodings}, or absent.`)
  throw Object.assign(error, { statusCode: 415 })
}

/** In bytes: a longer body is parsed in several turns of the event loop. */
const longBody = 128 * 1024

function parse(body: Buffer, limits: BodyLimits, done: (error: Error | null, parsed?: unknown) => void): void {
  try {
    const text = decodeUtf8(body)
    if (body.length <= longBody) done(null, parseExactJson(text, limits))
    else parseInTurns(text, limits).then((parsed) => done(null, parsed), done)
  } catch (error) {
    done(error as Error)
  }
}

/** Refuses bytes that are not UTF-8: `toString` would replace them without an error. */
function decodeUtf8(body: Buffer): string {
  if (!isUtf8(body)) throw new ApiError('BAD_USER_INPUT', 'body: must be UTF-8.', { path: 'body' })
  return body.toString()
}
