import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OperationTypeNode } from 'graphql'
import { badInput } from '../../errors.ts'
import { within } from '../../observe/spans.ts'
import { callerOf, forKnownCallers, outcomeOf } from '../http/known-callers.ts'
import { codeOf } from '../operation/outcome.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import { readRequest, readUrl } from '../request/graphql-request.ts'
import { requireOwnPage } from '../request/origins.ts'
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
  dependencies: TransportDependencies,
  streams: EventStreams,
): void {
  const { operations, takesOrigin, config } = dependencies
  forKnownCallers(app, dependencies, (known) => {
    known.route({
      method: ['GET', 'POST'],
      url: streamPath,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const { viewer, expiresAt } = callerOf(request)
        const isGet = request.method === 'GET'
        if (isGet) requireOwnPage(request.headers, takesOrigin)
        requireAccepted(request.headers.accept)
        const lastEventId = readLastEventId(request)
        // Of the statuses of success, 204 is the one at which a browser stops for good.
        if (lastEventId === completeId) return reply.code(204).send()

        const asked = operations.named(isGet ? readUrl(request.url, config.limits) : readRequest(request.body))
        if (asked.query === null) throw badInput('query', 'must be a text.')
        const admitted = operations.admit(asked.query, asked, viewer, request.id)
        const outcome = outcomeOf(request)
        if ('errors' in admitted) {
          outcome.code = codeOf(admitted.errors)
          return streams.refuse(reply, viewer, admitted.errors)
        }
        const { document, operation, field, cost } = admitted
        outcome.name = operation.name?.value ?? null
        outcome.field = field
        outcome.type = operation.operation
        if (operation.operation === OperationTypeNode.MUTATION && isGet) {
          reply.header('allow', 'POST')
          throw Object.assign(badInput('method', 'mutations take POST.'), { statusCode: 405 })
        }
        const streamed = {
          requestId: request.id,
          viewer,
          expiresAt,
          cost,
          request: asked,
          type: operation.operation,
          document,
          after: lastEventId,
          outcome,
        }
        await within(request.traced, () => streams.run(reply, streamed))
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
