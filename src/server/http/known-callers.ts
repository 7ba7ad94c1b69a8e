import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { viewerOf } from '../../auth/authenticate.ts'
import type { Authenticate, Viewer } from '../../auth/viewer.ts'
import { ApiError } from '../../errors.ts'
import { readHeaders } from '../request/credentials.ts'
import { parseExactJson } from '../request/exact-json.ts'

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
  authenticate: Authenticate,
  addRoutes: (known: FastifyInstance) => void,
): void {
  app.register(async (known) => {
    known.addHook('onRequest', async (request, reply) => {
      const caller = await authenticate(readHeaders(request.headers))
      request.caller = { viewer: viewerOf(caller), expiresAt: caller.expiresAt }
      if (request.headers.expect !== undefined) reply.raw.writeContinue()
    })
    known.removeAllContentTypeParsers()
    known.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
      try {
        done(null, parseExactJson(decodeUtf8(body)))
      } catch (error) {
        done(error as Error)
      }
    })
    addRoutes(known)
  })
}

/** The caller of a request to a route of `forKnownCallers`. */
export function callerOf({ caller }: FastifyRequest): KnownCaller {
  if (caller === null) throw new Error('This route is not one for known callers.')
  return caller
}

/** Refuses bytes that are not UTF-8: `toString` would replace them without an error. */
function decodeUtf8(body: Buffer): string {
  if (!isUtf8(body)) throw new ApiError('BAD_USER_INPUT', 'body: must be UTF-8.', { path: 'body' })
  return body.toString()
}
