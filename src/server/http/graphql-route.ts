import { type ApolloServer, HeaderMap } from '@apollo/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { getOperationAST } from 'graphql'
import type { Logger } from 'pino'
import type { Authenticate } from '../../auth/viewer.ts'
import { badInput } from '../../errors.ts'
import type { Context } from '../../graphql/context.ts'
import type { Admission } from '../operation/admission.ts'
import { formatError } from '../operation/format-error.ts'
import type { CreateContext } from '../operation/operation-context.ts'
import { readRequest } from '../request/graphql-request.ts'
import { callerOf, forKnownCallers } from './known-callers.ts'

export const graphqlPath = '/graphql'

export interface RouteDependencies {
  readonly admission: Admission
  readonly apollo: ApolloServer<Context>
  readonly authenticate: Authenticate
  readonly createContext: CreateContext
  readonly log: Logger
}

/** `POST /graphql`: caller, admission, Apollo. */
export function registerGraphql(app: FastifyInstance, use: RouteDependencies): void {
  forKnownCallers(app, use.authenticate, (known) => {
    known.post(graphqlPath, async (request, reply) => {
      const context = use.createContext(callerOf(request).viewer, request.id)
      request.budget = context.budget
      const { errors, operation } = admit(use.admission, request.body)
      request.operation = operation
      if (errors !== null) return refuse(request, reply, errors, use.log)
      return answer(use.apollo, request, reply, context)
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

async function answer(
  apollo: ApolloServer<Context>,
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
): Promise<string> {
  const accept = request.headers.accept ?? '*/*'
  const { status, headers, body } = await apollo.executeHTTPGraphQLRequest({
    // All that Apollo looks at.
    httpGraphQLRequest: {
      method: 'POST',
      headers: new HeaderMap([['accept', plainAccepts.has(accept) ? '' : accept]]),
      search: '',
      body: request.body,
    },
    context: async () => context,
  })
  if (body.kind !== 'complete') throw new Error('Incremental delivery is not part of this schema.')
  for (const [name, value] of headers) reply.header(name, value)
  reply.code(status === 400 && readsOnlyJson(accept) ? 200 : (status ?? 200))
  return body.string
}

/**
 * To these Apollo answers JSON, as it does to an empty one; only of that it works out at no length what is preferred, and
 * whether incremental delivery is.
 */
const plainAccepts = new Set(['*/*', 'application/json'])

/** @throws ApiError BAD_USER_INPUT for a body that is no GraphQL request */
function admit(admission: Admission, body: unknown): { errors: readonly Error[] | null; operation: string | null } {
  const { query, operationName } = readRequest(body)
  // A persisted query that is only named is Apollo's to refuse, in the words that client libraries know.
  if (query === null) return { errors: null, operation: null }
  const admitted = admission.admit(query)
  if ('errors' in admitted) return { errors: admitted.errors, operation: null }
  const operation = getOperationAST(admitted.document, operationName)
  if (!operation)
    return { errors: [badInput('operationName', 'names no operation of this document.')], operation: null }
  const isSubscription = operation.operation === 'subscription'
  return {
    errors: isSubscription
      ? [
          badInput(
            'query',
            'subscriptions take a WebSocket at this same path, or server-sent events at /graphql/stream.',
          ),
        ]
      : null,
    operation: operation.name?.value ?? null,
  }
}

function refuse(request: FastifyRequest, reply: FastifyReply, errors: readonly Error[], log: Logger) {
  const { accept } = request.headers
  const isGraphqlJson = accept?.includes('application/graphql-response+json') === true
  return reply
    .code(readsOnlyJson(accept) ? 200 : 400)
    .type(`${isGraphqlJson ? 'application/graphql-response+json' : 'application/json'}; charset=utf-8`)
    .send({ errors: errors.map((error) => formatError(error, request.id, log)) })
}

/**
 * Whether a client takes `application/json` and not `application/graphql-response+json`: GraphQL over HTTP asks for 200
 * then, whatever the errors, because such a client takes any other status for an answer that is not GraphQL's.
 */
function readsOnlyJson(accept: string | undefined): boolean {
  return (
    accept !== undefined &&
    /application\/json/i.test(accept) &&
    !/application\/graphql-response\+json|\*\/\*/i.test(accept)
  )
}
