import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OperationTypeNode } from 'graphql'
import { badInput } from '../../errors.ts'
import { callerOf, forKnownCallers } from '../http/known-callers.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import { parseExactJson } from '../request/exact-json.ts'
import { type GraphqlRequest, readRequest } from '../request/graphql-request.ts'
import type { EventStreams } from './sse.ts'
import { completeId } from './sse-stream.ts'

export const streamPath = '/graphql/stream'

/**
 * `GET` and `POST /graphql/stream`, by the distinct connections mode of graphql-sse
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md). A wrong request is answered with an HTTP error; a
 * wrong document is answered with a result on the stream.
 */
export function registerStreams(
  app: FastifyInstance,
  { operations, authenticate }: TransportDependencies,
  streams: EventStreams,
): void {
  forKnownCallers(app, authenticate, (known) => {
    known.route({
      method: ['GET', 'POST'],
      url: streamPath,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const { viewer, expiresAt } = callerOf(request)
        requireAccepted(request.headers.accept)
        const lastEventId = readLastEventId(request)
        // Of the statuses of success, 204 is the one at which a browser stops for good.
        if (lastEventId === completeId) return reply.code(204).send()

        const asked = request.method === 'GET' ? readQuery(request.url) : readRequest(request.body)
        if (asked.query === null) throw badInput('query', 'must be a text.')
        const admitted = operations.admit(asked.query, asked.operationName, request.id)
        if ('errors' in admitted) return streams.refuse(reply, viewer, admitted.errors)
        const { document, operation } = admitted
        request.operation = operation.name?.value ?? null
        if (operation.operation === OperationTypeNode.MUTATION && request.method === 'GET') {
          reply.header('allow', 'POST')
          throw Object.assign(badInput('method', 'mutations take POST.'), { statusCode: 405 })
        }
        await streams.run(reply, {
          requestId: request.id,
          viewer,
          expiresAt,
          request: asked,
          isSubscription: operation.operation === OperationTypeNode.SUBSCRIPTION,
          document,
          after: lastEventId,
        })
      },
    })
  })

  app.route({
    method: ['PUT', 'DELETE', 'PATCH'],
    url: streamPath,
    handler: async (_request, reply) => {
      reply.header('allow', 'GET, POST')
      throw Object.assign(badInput('method', 'Event streams take GET and POST here.'), { statusCode: 405 })
    },
  })
}

/** @throws an error that is answered with 406 */
function requireAccepted(accept: string | undefined): void {
  if (accept === undefined || /text\/(event-stream|\*)|\*\/\*/i.test(accept)) return
  throw Object.assign(badInput('accept', 'must take text/event-stream here.'), { statusCode: 406 })
}

/** The id of the last event that an EventSource saw before its stream ended; null: it begins. */
function readLastEventId({ headers }: FastifyRequest): string | null {
  const value = headers['last-event-id']
  return typeof value === 'string' && value !== '' ? value : null
}

/** The parameters of a GET, by GraphQL over HTTP. @throws ApiError BAD_USER_INPUT */
function readQuery(url: string): GraphqlRequest {
  const search = url.slice(url.indexOf('?') + 1)
  try {
    // URLSearchParams would replace bytes that are not UTF-8 without an error.
    decodeURIComponent(search)
  } catch {
    throw badInput('url', 'must be percent-encoded UTF-8.')
  }
  const given = new URLSearchParams(url.includes('?') ? search : '')
  return readRequest({
    query: given.get('query') ?? undefined,
    operationName: given.get('operationName') ?? undefined,
    variables: readJson(given, 'variables'),
    extensions: readJson(given, 'extensions'),
  })
}

function readJson(given: URLSearchParams, name: string): unknown {
  const text = given.get(name)
  return text === null || text === '' ? undefined : parseExactJson(text, name)
}
