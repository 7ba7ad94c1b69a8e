import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type GraphQLSchema, getOperationAST, OperationTypeNode } from 'graphql'
import type { Logger } from 'pino'
import type { Authenticate } from '../../auth/viewer.ts'
import { badInput } from '../../errors.ts'
import { callerOf, forKnownCallers } from '../http/known-callers.ts'
import type { Admission } from '../operation/admission.ts'
import { formatError } from '../operation/format-error.ts'
import { resumeAfter } from '../operation/resume-after.ts'
import { parseExactJson } from '../request/exact-json.ts'
import { type GraphqlRequest, readRequest } from '../request/graphql-request.ts'
import type { EventStreams } from './sse.ts'
import { completeId } from './sse-stream.ts'

export const streamPath = '/graphql/stream'

export interface StreamRouteDependencies {
  readonly schema: GraphQLSchema
  readonly admission: Admission
  readonly authenticate: Authenticate
  readonly streams: EventStreams
  readonly log: Logger
}

/**
 * `GET` and `POST /graphql/stream`, by the distinct connections mode of graphql-sse
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md): what is wrong with a request is an HTTP error; what is
 * wrong with its document is a result on the stream.
 */
export function registerStreams(app: FastifyInstance, use: StreamRouteDependencies): void {
  forKnownCallers(app, use.authenticate, (known) => {
    known.route({
      method: ['GET', 'POST'],
      url: streamPath,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const { viewer, expiresAt } = callerOf(request)
        requireAccepted(request.headers.accept)
        const lastEventId = readLastEventId(request)
        // A browser stops for good at this status, and at no other that it could take for a success.
        if (lastEventId === completeId) return reply.code(204).send()

        const asked = request.method === 'GET' ? readQuery(request.url) : readRequest(request.body)
        if (asked.query === null) throw badInput('query', 'must be a text.')
        const format = (error: unknown) => formatError(error, request.id, use.log)
        const admitted = use.admission.admit(asked.query)
        if ('errors' in admitted) return use.streams.refuse(reply, viewer, { errors: admitted.errors.map(format) })
        const { document } = admitted
        const operation = getOperationAST(document, asked.operationName)
        if (!operation) {
          const error = badInput('operationName', 'names no operation of this document.')
          return use.streams.refuse(reply, viewer, { errors: [format(error)] })
        }
        const type = operation.operation
        request.operation = operation.name?.value ?? null
        if (type === OperationTypeNode.MUTATION && request.method === 'GET') {
          reply.header('allow', 'POST')
          throw Object.assign(badInput('method', 'mutations take POST.'), { statusCode: 405 })
        }
        const isResumed = lastEventId !== null && type === OperationTypeNode.SUBSCRIPTION
        await use.streams.run(reply, {
          requestId: request.id,
          viewer,
          expiresAt,
          request: asked,
          type,
          document,
          source: isResumed ? resumeAfter(use.schema, document, lastEventId) : document,
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

/** Where an EventSource stood when its stream ended; null: it begins. */
function readLastEventId({ headers }: FastifyRequest): string | null {
  const value = headers['last-event-id']
  return typeof value === 'string' && value !== '' ? value : null
}

/** The parameters of a GET, by GraphQL over HTTP. @throws ApiError BAD_USER_INPUT */
function readQuery(url: string): GraphqlRequest {
  const search = url.slice(url.indexOf('?') + 1)
  try {
    // Read leniently, bytes that are no UTF-8 would be replaced without a word.
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
