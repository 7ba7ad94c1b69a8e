import {
  ApolloServer,
  type ApolloServerOptionsWithGateway,
  type ApolloServerPlugin,
  type GraphQLRequestListener,
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
import type { Admission } from './admission.ts'
import type { Executor } from './executor.ts'
import { formatError } from './format-error.ts'

/**
 * Apollo's pipeline for queries and mutations, over HTTP and over WebSocket. Everything that would depend on NODE_ENV is
 * said. Documents come from admission, which has parsed and validated them.
 */
export async function startApollo(
  schema: GraphQLSchema,
  admission: Admission,
  executor: Executor,
  log: Logger,
): Promise<ApolloServer<Context>> {
  const apollo = new ApolloServer<Context>({
    gateway: executing(schema, executor),
    documentStore: admission.documentStore,
    introspection: true,
    // Whatever carries a body here has to be application/json, which no page of another origin sends unasked.
    csrfPrevention: false,
    persistedQueries: false,
    // Without the line end that Apollo adds, which copied every answer.
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
  await apollo.start()
  return apollo
}

type Gateway = ApolloServerOptionsWithGateway<Context>['gateway']

/** Apollo lets a gateway, and nothing else, execute in its place. */
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

/** Not Apollo's `formatError` option, which is not told whose request it was. */
function formatErrors(log: Logger): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    async willSendResponse({ contextValue, errors, response }) {
      if (errors === undefined || response.body.kind !== 'single') return
      response.body.singleResult.errors = errors.map((error) => formatError(error, contextValue.requestId, log))
    },
  }
  return { requestDidStart: async () => listener }
}
