import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type GraphQLFormattedError, OperationTypeNode } from 'graphql'
import { badInput } from '../../errors.ts'
import { within } from '../../observe/spans.ts'
import { formatError } from '../operation/format-error.ts'
import { codeOf } from '../operation/outcome.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import { payerOf } from '../rate/payer.ts'
import { chooseAnswerType, readsOnlyJson } from '../request/accept.ts'
import { type GraphqlRequest, readRequest, readUrl } from '../request/graphql-request.ts'
import { requireOwnPage } from '../request/origins.ts'
import { callerOf, forKnownCallers, outcomeOf } from './known-callers.ts'
import { sayWhen } from './retry-after.ts'

export const graphqlPath = '/graphql'

/** After so many milliseconds a request is refused whose caller has used up its rate. */
const refusalMs = 50

/** No cache keeps an answer, for it belongs to one user. Where one keeps that of a GET nevertheless: what it depends on. */
const dependsOn = 'accept, authorization, origin, sec-fetch-site, x-service-key, x-user-id'

/**
 * `GET` and `POST /graphql`, by GraphQL over HTTP (edition September 2026,
 * https://github.com/graphql/graphql-over-http): the caller, the admission, and then the answer. Where the audits of
 * `graphql-http` 1.23 ask for another status than that edition recommends (400 instead of 422, 200 instead of 294), the
 * status is that of the audits, which is also that of clients and servers today.
 */
export function registerGraphql(app: FastifyInstance, dependencies: TransportDependencies): void {
  const { operations, rates, takesOrigin, config, log } = dependencies

  const answer = async (request: FastifyRequest, reply: FastifyReply, asked: GraphqlRequest): Promise<unknown> => {
    const { accept } = request.headers
    const type = chooseAnswerType(accept)
    if (type === null) throw notAcceptable()
    reply.type(`${type}; charset=utf-8`)
    const outcome = outcomeOf(request)
    const refuse = (errors: readonly GraphQLFormattedError[]) => {
      outcome.code = codeOf(errors)
      if (errors[0]?.extensions?.code === 'RATE_LIMITED') sayWhen(reply.code(429), errors)
      else reply.code(readsOnlyJson(accept) ? 200 : 400)
      return JSON.stringify({ errors })
    }
    const { query } = asked
    const { viewer } = callerOf(request)
    let cost = 0
    let kind: OperationTypeNode | undefined
    // Apollo refuses a persisted query that is only named, in the words that client libraries know.
    if (query !== null) {
      const admitted = operations.admit(query, asked, viewer, request.id)
      if ('errors' in admitted) return refuse(admitted.errors)
      cost = admitted.cost
      const { operation, name } = admitted.operation
      kind = operation
      outcome.name = name?.value ?? null
      outcome.field = admitted.field
      if (kind !== OperationTypeNode.QUERY && request.method !== 'POST') {
        reply.header('allow', 'POST')
        throw refusal('method', `a ${kind} does not take ${request.method}.`, 405)
      }
      if (kind === OperationTypeNode.SUBSCRIPTION) return refuse([formatError(noSubscription(), request.id, log)])
    }
    const context = operations.createContext(viewer, request.id, kind)
    request.budget = context.budget
    // The client may have gone while it was found out who it is. Then nothing else tells the budget.
    if (reply.raw.closed) context.budget[Symbol.dispose]()
    const { status, result } = await operations.answer(asked, context, cost)
    outcome.code = codeOf(result.value.errors)
    if (result.value.errors !== undefined && !reply.sent) sayWhen(reply, result.value.errors)
    // Apollo answers 200 when it refuses a persisted query. Of this media type only an answer with data may have that.
    if (query === null && type === 'application/graphql-response+json') reply.code(400)
    else reply.code(status === 400 && readsOnlyJson(accept) ? 200 : status)
    return result.text
  }

  forKnownCallers(app, dependencies, (known) => {
    // Whoever owes is refused before anything of the body is read, and not at once: whoever asks again after each refusal
    // would otherwise keep the server busy with refusals.
    known.addHook('onRequest', (request, _reply, done) => {
      try {
        rates?.require(payerOf(callerOf(request).viewer))
        done()
      } catch (error) {
        setTimeout(done, refusalMs, error as Error)
      }
    })
    known.post(graphqlPath, (request, reply) =>
      within(request.traced, () => answer(request, reply, operations.named(readRequest(request.body)))),
    )

    known.get(graphqlPath, async (request, reply) => {
      reply.header('vary', dependsOn)
      requireOwnPage(request.headers, takesOrigin)
      return within(request.traced, () => answer(request, reply, operations.named(readUrl(request.url, config.limits))))
    })
  })

  app.route({
    method: ['PUT', 'DELETE', 'PATCH'],
    url: graphqlPath,
    handler: async (_request, reply) => {
      reply.header('allow', 'GET, HEAD, POST')
      throw refusal('method', 'GraphQL takes GET and POST here.', 405)
    },
  })
}

function refusal(path: string, sentence: string, statusCode: number): Error {
  return Object.assign(badInput(path, sentence), { statusCode })
}

function notAcceptable(): Error {
  const types = 'application/graphql-response+json or application/json'
  return refusal('accept', `must take ${types}; event streams are at /graphql/stream.`, 406)
}

function noSubscription(): Error {
  return badInput(
    'query',
    'subscriptions take a WebSocket at this same path, or server-sent events at /graphql/stream.',
  )
}
