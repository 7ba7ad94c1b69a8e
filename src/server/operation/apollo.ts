import { ApolloServer, type GraphQLRequestListener, HeaderMap } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import type { Context } from '../../graphql/context.ts'
import type { Executor } from '../execution/executor.ts'
import type { GraphqlRequest } from '../request/graphql-request.ts'
import type { Admission } from './admission.ts'
import { formatErrors } from './format-error.ts'
import { Result } from './results.ts'

/** A result, and the status that it has over HTTP. */
export interface Answer {
  readonly status: number
  readonly result: Result
}

/**
 * Apollo's pipeline for queries and mutations, over HTTP, WebSocket and event streams. Documents come from admission,
 * which has parsed and validated them.
 */
export class Apollo implements AsyncDisposable {
  readonly #server: ApolloServer<Context>

  private constructor(server: ApolloServer<Context>) {
    this.#server = server
  }

  /** Says every option that would otherwise depend on NODE_ENV. */
  static async start(schema: GraphQLSchema, admission: Admission, executor: Executor, log: Logger): Promise<Apollo> {
    const server = new ApolloServer<Context>({
      schema,
      documentStore: admission.documentStore,
      // Admission sees to that.
      introspection: true,
      // The routes see to that: a body has to be application/json, which a page of another origin cannot send without
      // asking the server first, and a GET of such a page is refused.
      csrfPrevention: false,
      persistedQueries: false,
      allowBatchedHttpRequests: false,
      includeStacktraceInErrorResponses: false,
      hideSchemaDetailsFromClientErrors: false,
      stopOnTerminationSignals: false,
      nodeEnv: 'production',
      logger: log,
      plugins: [
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginInlineTraceDisabled(),
        ApolloServerPluginLandingPageDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
        ApolloServerPluginUsageReportingDisabled(),
        { requestDidStart: async () => listener(executor, log) },
      ],
    })
    await server.start()
    return new Apollo(server)
  }

  async answer({ query, operationName, variables, extensions }: GraphqlRequest, context: Context): Promise<Answer> {
    const request = {
      query: query ?? undefined,
      operationName: operationName ?? undefined,
      variables: variables ?? undefined,
      // A persisted query that comes with its text is answered, although the server does not keep it.
      extensions: query === null ? (extensions ?? undefined) : undefined,
    }
    const { http, body } = await this.#server.executeOperation(request, { contextValue: context })
    if (body.kind !== 'single') throw new Error('Incremental delivery is not part of this schema.')
    const { errors, data, extensions: more } = body.singleResult
    return { status: http.status ?? 200, result: new Result({ errors, data, extensions: more }) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop()
  }
}

/**
 * A hook and not Apollo's gateway, which could execute as well: for each request the gateway makes an object literal
 * with a getter. V8 gives each of these a hidden class of its own, which is old from birth, and from it leads a way to
 * the whole answer: it would be held until the next full garbage collection.
 */
function listener(executor: Executor, log: Logger): GraphQLRequestListener<Context> {
  return {
    async responseForOperation({ document, request, contextValue }) {
      const { operationName, variables: variableValues } = request
      const { errors, ...result } = await executor.execute({ document, operationName, variableValues, contextValue })
      if (errors === undefined) return { http: asItIs, body: { kind: 'single', singleResult: result } }
      const formatted = formatErrors(errors, contextValue.requestId, log)
      // Without data nothing was executed: the variables are wrong.
      const http = result.data === undefined ? badRequest : asItIs
      return { http, body: { kind: 'single', singleResult: { ...result, errors: formatted } } }
    },
    // Of errors that Apollo itself finds. Apollo's option `formatError` does not know the request's id.
    async willSendResponse({ contextValue, errors, response }) {
      if (errors === undefined || response.body.kind !== 'single') return
      response.body.singleResult.errors = formatErrors(errors, contextValue.requestId, log)
    },
  }
}

const asItIs = { status: undefined, headers: new HeaderMap() }
const badRequest = { status: 400, headers: new HeaderMap() }
