import {
  ApolloServer,
  type ApolloServerOptionsWithGateway,
  type ApolloServerPlugin,
  type GraphQLRequestListener,
  HeaderMap,
} from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import type { Context } from '../../graphql/context.ts'
import type { GraphqlRequest } from '../request/graphql-request.ts'
import type { Admission } from './admission.ts'
import type { Executor } from './executor.ts'
import { formatError } from './format-error.ts'
import { Result } from './results.ts'

/** An answer of HTTP without its media type and what Fastify adds to it. */
export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Apollo's pipeline for queries and mutations, over HTTP, WebSocket and event streams. Documents come from admission,
 * which has parsed and validated them.
 *
 * HTTP has an answer of its own, because there Apollo also chooses the status.
 */
export class Apollo implements AsyncDisposable {
  readonly #server: ApolloServer<Context>

  private constructor(server: ApolloServer<Context>) {
    this.#server = server
  }

  /** Says every option that would otherwise depend on NODE_ENV. */
  static async start(schema: GraphQLSchema, admission: Admission, executor: Executor, log: Logger): Promise<Apollo> {
    const server = new ApolloServer<Context>({
      gateway: executing(schema, executor),
      documentStore: admission.documentStore,
      introspection: true,
      // The routes see to that: a body has to be application/json, which a page of another origin cannot send without
      // asking the server first, and a GET of such a page is refused.
      csrfPrevention: false,
      persistedQueries: false,
      // Apollo would add a line end, which copies every answer.
      stringifyResult: JSON.stringify,
      allowBatchedHttpRequests: false,
      includeStacktraceInErrorResponses: false,
      hideSchemaDetailsFromClientErrors: false,
      stopOnTerminationSignals: false,
      nodeEnv: 'production',
      logger: log,
      plugins: [
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginLandingPageDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
        ApolloServerPluginUsageReportingDisabled(),
        formatErrors(log),
      ],
    })
    await server.start()
    return new Apollo(server)
  }

  async answer({ query, operationName, variables }: GraphqlRequest, context: Context): Promise<Result> {
    const request = {
      query: query ?? undefined,
      operationName: operationName ?? undefined,
      variables: variables ?? undefined,
    }
    const { body } = await this.#server.executeOperation(request, { contextValue: context })
    if (body.kind !== 'single') throw new Error('Incremental delivery is not part of this schema.')
    const { errors, data, extensions } = body.singleResult
    return new Result({
      ...(errors ? { errors } : {}),
      ...(data === undefined ? {} : { data }),
      ...(extensions ? { extensions } : {}),
    })
  }

  async answerHttp(
    { query, operationName, variables, extensions }: GraphqlRequest,
    context: Context,
  ): Promise<HttpAnswer> {
    const body = {
      query,
      operationName: operationName ?? null,
      variables: variables ?? null,
      // A persisted query that comes with its text is answered, although the server does not keep it.
      extensions: query === null ? (extensions ?? null) : null,
    }
    const answer = await this.#server.executeHTTPGraphQLRequest({
      // Apollo looks at these and at nothing else. Without a header `accept` it does not work out a media type.
      httpGraphQLRequest: { method: 'POST', headers: new HeaderMap(), search: '', body },
      context: async () => context,
    })
    if (answer.body.kind !== 'complete') throw new Error('Incremental delivery is not part of this schema.')
    return { status: answer.status ?? 200, text: answer.body.string }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop()
  }
}

type Gateway = ApolloServerOptionsWithGateway<Context>['gateway']

/** Apollo executes by itself unless it has a gateway. So the executor is given to it as one. */
function executing(schema: GraphQLSchema, executor: Executor): Gateway {
  return {
    onSchemaLoadOrUpdate: (load) => {
      load({ apiSchema: schema, coreSupergraphSdl: '' })
      return () => {}
    },
    load: async () => ({
      executor: ({ document, operationName, request, context }) =>
        executor.execute({
          document,
          operationName,
          variableValues: request.variables ?? null,
          contextValue: context,
        }),
    }),
    stop: async () => {},
  }
}

/** A plugin and not Apollo's option `formatError`, because that option does not know the request's id. */
function formatErrors(log: Logger): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    async willSendResponse({ contextValue, errors, response }) {
      if (errors === undefined || response.body.kind !== 'single') return
      response.body.singleResult.errors = errors.map((error) => formatError(error, contextValue.requestId, log))
    },
  }
  return { requestDidStart: async () => listener }
}
