import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { OperationTypeNode } from 'graphql'
import type { Config } from '../../config.ts'
import { ApiError, type ErrorCode, tooLarge, unavailable } from '../../errors.ts'
import { endRequest, type Traced, traceIdOf } from '../../observe/spans.ts'
import type { AnswerBudget } from '../../storage/postgres/answer-budget.ts'
import { formatError } from '../operation/format-error.ts'
import { drawRequestId } from '../operation/operation-context.ts'
import { logOperation } from '../operation/operation-log.ts'
import { codeOf, type Outcome } from '../operation/outcome.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import { payerAt, payerOf } from '../rate/payer.ts'
import type { Rates } from '../rate/rates.ts'
import { chooseAnswerType } from '../request/accept.ts'
import { answerClientError } from './client-error.ts'
import { limitConnections } from './connection-limits.ts'
import { allowOrigin, registerPreflights } from './cors.ts'
import type { Health } from './health.ts'
import type { HostGuard } from './host-guard.ts'
import type { KnownCaller } from './known-callers.ts'
import { sayWhen } from './retry-after.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** null: the route answers every caller, or the caller is not known yet. */
    caller: KnownCaller | null
    /** null: the route is none of GraphQL. */
    outcome: Outcome | null
    /** The span of a request of GraphQL; null: nobody listens. */
    traced: Traced | null
    /** What the answer holds; given back once the answer has left. */
    budget: AnswerBudget | null
  }
}

/** How often Node looks which requests are late, in milliseconds. */
const longestCheck = 1_000

/** A body whose request is answered already is read to its end if it is no longer than so many of the largest. */
const discardedBodies = 4

/** The HTTP server without its routes: who may come in, how long a request may take, and how errors go out. */
export function createHttp(use: TransportDependencies, guard: HostGuard, health: Health): FastifyInstance {
  const { config, takesOrigin, proxies, rates, refusals, log } = use
  const app: FastifyInstance = Fastify({
    bodyLimit: config.limits.bodyBytes,
    requestTimeout: config.requestMs,
    // Node looks only now and then which requests have not come in time: every 30 s, if nothing else is said.
    http: {
      requestTimeout: config.requestMs,
      headersTimeout: config.requestMs,
      connectionsCheckingInterval: Math.min(config.requestMs, longestCheck),
    },
    forceCloseConnections: 'idle',
    // A request that still comes on an open connection is answered, and is the last one there: nothing it needs is
    // closed yet.
    return503OnClosing: false,
    genReqId: drawRequestId,
    clientErrorHandler: answerClientError,
    logger: false,
  })

  limitConnections(app.server, config.limits, proxies, refusals)

  app.decorateRequest('caller', null)
  app.decorateRequest('outcome', null)
  app.decorateRequest('traced', null)
  app.decorateRequest('budget', null)
  // Hooks and parsers take callbacks: promises would cost each request some microseconds.
  app.addHook('onRequest', (request, reply, done) => {
    // Fastify's own `elapsedTime` is 0 unless Fastify logs.
    const startedAt = performance.now()
    // When the answer has left, the connection may be gone.
    const address = proxies.addressOf(request.raw)
    const { socket } = request.raw
    const bytesBefore = socket.bytesWritten
    // Fastify's own limit is not used, because it makes an AbortController for each request.
    const timer = setTimeout(() => {
      if (reply.sent) return
      // Whoever still sends its body does not keep the connection.
      if (!request.raw.complete) reply.header('connection', 'close')
      reply.send(tooSlow())
    }, config.requestMs)
    reply.raw.once('close', () => {
      clearTimeout(timer)
      request.budget?.[Symbol.dispose]()
      const ms = performance.now() - startedAt
      tellOutcome(use, request, reply, ms)
      if (!log.isLevelEnabled('info')) return
      const path = request.url.split('?')[0] as string
      // Health checks come every second and would fill the log.
      if (path === '/healthz' || path === '/readyz') return
      const refusals = reply.statusCode === 429 ? countRefusal(rates, request.caller, address) : 1
      if (refusals === 0) return
      logOperation(log, {
        requestId: request.id,
        over: 'http',
        address,
        path,
        operation: request.outcome?.name ?? null,
        viewer: request.caller?.viewer.userId ?? null,
        actor: request.caller?.viewer.actor ?? undefined,
        ms,
        status: reply.raw.writableFinished ? reply.statusCode : 'aborted',
        bytes: socket.bytesWritten - bytesBefore,
        traceId: traceIdOf(request.traced, request.headers.traceparent),
        refusals: refusals > 1 ? refusals : undefined,
      })
    })
    // What depends on its caller is kept by no cache. Routes whose answers may be kept say so themselves.
    reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    const reason = guard(request.raw)
    if (reason !== null) refusals.add('host')
    const { origin } = request.headers
    if (origin !== undefined && reason === null && takesOrigin(origin)) allowOrigin(reply, origin)
    done(reason === null ? undefined : new ApiError('FORBIDDEN', reason))
  })

  // A client that keeps its connection after the answer would keep the server from stopping.
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (health.isStopping) reply.header('connection', 'close')
    // If the connection were closed on whoever still sends, it would be reset, and a proxy would answer 502. Node reads what
    // is left of a body, and throws it away, and whoever wanted the connection closed closes it then.
    else if (isStillSent(request, discardedBodies * config.limits.bodyBytes)) {
      if (reply.statusCode === 413 || !reply.hasHeader('connection')) reply.header('connection', 'keep-alive')
    }
    done()
  })

  // A route that reads no body answers at once; Node discards the body as it comes.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  // A caller may ask first whether to send its body (RFC 9110, 10.1.1). Its headers alone are enough to refuse it.
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response))

  app.setNotFoundHandler(async (request, reply) => {
    const error = new ApiError(
      'NOT_FOUND',
      'There is nothing here; GraphQL is at /graphql, and GraphiQL, where it is on, at /graphiql.',
    )
    return reply.code(404).send({ errors: [formatError(error, request.id, log)] })
  })

  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const formatted = formatError(fromFastify(error, request.headers['content-length'], config), request.id, log)
    const isRefusal = error.statusCode !== undefined && error.statusCode < 500
    const status = isRefusal ? error.statusCode : statuses[formatted.extensions?.code as ErrorCode]
    if (request.outcome !== null) request.outcome.code = codeOf([formatted])
    reply.header('cache-control', 'no-store')
    sayWhen(reply, [formatted])
    if (status === 401) reply.header('www-authenticate', challenge(config, request.headers.authorization))
    reply.type(`${chooseAnswerType(request.headers.accept) ?? 'application/json'}; charset=utf-8`)
    return reply.code(status ?? 500).send({ errors: [formatted] })
  })

  // After the error handler: otherwise Fastify's own handler would answer the errors of this route.
  registerPreflights(app, takesOrigin)
  return app
}

/** Whether an answer comes while the body does, of at most so many bytes if it says how many. */
function isStillSent({ raw, headers, caller }: FastifyRequest, most: number): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding, expect } = headers
  if (raw.complete || (length === undefined && encoding === undefined)) return false
  // Whoever asks first whether to send its body, and is unknown, does not send it.
  return !(Number(length) > most) && (expect === undefined || caller !== null)
}

/** Tells metrics and traces what has become of a request of GraphQL. */
function tellOutcome({ meter }: TransportDependencies, request: FastifyRequest, reply: FastifyReply, ms: number): void {
  const { outcome, traced } = request
  if (outcome === null) return
  const { field, type } = outcome
  // A stream of events has no end that its client waits for.
  const isStream = type === OperationTypeNode.SUBSCRIPTION
  const code = isStream || reply.raw.writableFinished ? outcome.code : 'ABORTED'
  meter.ended(field, 'http', code, isStream ? null : ms)
  if (traced !== null) endRequest(traced, code, { 'http.response.status_code': reply.statusCode })
}

/** Of how many refusals there is to be one line in the log now. */
function countRefusal(rates: Rates | null, caller: KnownCaller | null, address: string | null): number {
  if (rates === null) return 1
  return caller === null ? rates.countRefusalAt(payerAt(address ?? '')) : rates.countRefusal(payerOf(caller.viewer))
}

/** How to prove who one is (RFC 9110, 11.6.1; RFC 6750, 3). Service keys have no scheme that is registered. */
function challenge({ identity }: Config, authorization: string | undefined): string {
  if (identity?.jwksUrl === undefined && identity?.secret === undefined) return 'ServiceKey realm="colloquy"'
  return `Bearer realm="colloquy"${authorization === undefined ? '' : ', error="invalid_token"'}`
}

function tooSlow(): ApiError {
  return unavailable(
    'The request took too long. What was asked may have been done: try again, with the same client ids.',
  )
}

/** Says Fastify's own refusals in our words. */
function fromFastify(error: FastifyError, contentLength: string | undefined, config: Config): Error {
  const limit = config.limits.bodyBytes
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return tooLarge('body', 'bytes', limit, Number(contentLength ?? limit + 1))
  const isRefusal = error.statusCode !== undefined && error.statusCode < 500
  return isRefusal ? new ApiError('BAD_USER_INPUT', error.message) : error
}

const statuses: Record<ErrorCode, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BAD_USER_INPUT: 400,
  CONFLICT: 409,
  CURSOR_EXPIRED: 410,
  PAYLOAD_TOO_LARGE: 413,
  COST_LIMIT: 400,
  QUOTA_EXCEEDED: 403,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  INTERNAL_SERVER_ERROR: 500,
}
