import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type GraphQLFormattedError, OperationTypeNode } from 'graphql'
import { badInput } from '../../errors.ts'
import { formatError } from '../operation/format-error.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import { readRequest } from '../request/graphql-request.ts'
import { callerOf, forKnownCallers } from './known-callers.ts'

export const graphqlPath = '/graphql'

/** `POST /graphql`: the caller, the admission, and then the answer. */
export function registerGraphql(app: FastifyInstance, { operations, authenticate, log }: TransportDependencies): void {
  forKnownCallers(app, authenticate, (known) => {
    known.post(graphqlPath, async (request, reply) => {
      const { query, operationName } = readRequest(request.body)
      // Apollo refuses a persisted query that is only named, in the words that client libraries know.
      if (query !== null) {
        const admitted = operations.admit(query, operationName, request.id)
        if ('errors' in admitted) return refuse(request, reply, admitted.errors)
        const { operation, name } = admitted.operation
        request.operation = name?.value ?? null
        if (operation === OperationTypeNode.SUBSCRIPTION) {
          return refuse(request, reply, [formatError(noSubscription(), request.id, log)])
        }
      }
      const context = operations.createContext(callerOf(request).viewer, request.id)
      request.budget = context.budget
      const accept = request.headers.accept ?? '*/*'
      const { status, headers, text } = await operations.answerHttp(request.body, accept, context)
      for (const [header, value] of headers) reply.header(header, value)
      reply.code(status === 400 && readsOnlyJson(accept) ? 200 : status)
      return text
    })
  })

  app.route({
    method: ['GET', 'PUT', 'DELETE', 'PATCH'],
    url: graphqlPath,
    handler: async (_request, reply) => {
      reply.header('allow', 'POST')
      throw Object.assign(badInput('method', 'GraphQL takes POST here.'), { statusCode: 405 })
    },
  })
}

function noSubscription(): Error {
  return badInput(
    'query',
    'subscriptions take a WebSocket at this same path, or server-sent events at /graphql/stream.',
  )
}

function refuse(request: FastifyRequest, reply: FastifyReply, errors: readonly GraphQLFormattedError[]) {
  const { accept } = request.headers
  const isGraphqlJson = accept?.includes('application/graphql-response+json') === true
  return reply
    .code(readsOnlyJson(accept) ? 200 : 400)
    .type(`${isGraphqlJson ? 'application/graphql-response+json' : 'application/json'}; charset=utf-8`)
    .send({ errors })
}

/**
 * Whether a client takes `application/json` and not `application/graphql-response+json`. GraphQL over HTTP asks for
 * status 200 then, even with errors, because such a client believes that an answer with another status is not one of
 * GraphQL.
 */
function readsOnlyJson(accept: string | undefined): boolean {
  return (
    accept !== undefined &&
    /application\/json/i.test(accept) &&
    !/application\/graphql-response\+json|\*\/\*/i.test(accept)
  )
}
