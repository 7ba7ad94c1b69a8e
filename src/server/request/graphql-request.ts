import { badInput } from '../../errors.ts'

/** The parameters of a request, as GraphQL over HTTP names them. Null is the same as absent. */
export interface GraphqlRequest {
  /** null: the request only names a persisted query. */
  readonly query: string | null
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
}

/** @throws ApiError BAD_USER_INPUT when the body is not a request of GraphQL */
export function readRequest(body: unknown): GraphqlRequest {
  if (Array.isArray(body)) throw badInput('body', 'must be one operation; batches are not taken.')
  if (!isObject(body)) throw badInput('body', 'must be a JSON object with a query.')
  const { query, operationName = null, variables = null, extensions = null } = body
  if (operationName !== null && typeof operationName !== 'string') throw badInput('operationName', 'must be a text.')
  if (variables !== null && !isObject(variables)) throw badInput('variables', 'must be a JSON object.')
  if (extensions !== null && !isObject(extensions)) throw badInput('extensions', 'must be a JSON object.')
  if (typeof query === 'string') return { query, operationName, variables }
  if (extensions?.persistedQuery !== undefined) return { query: null, operationName, variables }
  throw badInput('query', 'must be a text.')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
