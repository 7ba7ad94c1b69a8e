import type { FastifyInstance, FastifyReply } from 'fastify'
import type { TakesOrigin } from '../request/origins.ts'

const secondsOfDay = '86400'

/** What answers say in headers that a page may not read unless it is told so. */
const exposed = 'accept-encoding, allow, retry-after, www-authenticate, x-request-id'

/** Lets the page that sent the request read the answer (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export function allowOrigin(reply: FastifyReply, origin: string): void {
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': exposed,
    vary: 'origin',
  })
}

/** Answers a browser that asks whether a page of another origin may send a request. */
export function registerPreflights(app: FastifyInstance, takesOrigin: TakesOrigin): void {
  app.options('*', async ({ headers }, reply) => {
    const { origin, 'access-control-request-method': method, 'access-control-request-headers': names } = headers
    if (origin === undefined || method === undefined || !takesOrigin(origin)) return reply.callNotFound()
    reply.headers({
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-max-age': secondsOfDay,
      vary: 'origin, access-control-request-headers',
    })
    if (names !== undefined) reply.header('access-control-allow-headers', names)
    return reply.code(204).send()
  })
}
