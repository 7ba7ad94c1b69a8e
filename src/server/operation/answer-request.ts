import type { ApolloServer } from '@apollo/server'
import type { Context } from '../../graphql/context.ts'
import type { FormattedResult } from './written-result.ts'

/** A query or a mutation as a client sends it; null is the same as absent. */
export interface Asked {
  readonly query: string | null
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
}

/** Answers a query or a mutation that did not come as an HTTP request, by the pipeline that those take. */
export async function answerRequest(
  apollo: ApolloServer<Context>,
  { query, operationName, variables }: Asked,
  context: Context,
): Promise<FormattedResult> {
  const request = {
    query: query ?? undefined,
    operationName: operationName ?? undefined,
    variables: variables ?? undefined,
  }
  const { body } = await apollo.executeOperation(request, { contextValue: context })
  if (body.kind !== 'single') throw new Error('Incremental delivery is not part of this schema.')
  const { errors, data, extensions } = body.singleResult
  return {
    ...(errors ? { errors } : {}),
    ...(data === undefined ? {} : { data }),
    ...(extensions ? { extensions } : {}),
  }
}
