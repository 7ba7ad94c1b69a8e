import { badInput } from '../../errors.ts'
import type { BodyLimits } from './body-limits.ts'
import { parseExactJson } from './exact-json.ts'

/** The parameters of a request, as GraphQL over HTTP names them. Null is the same as absent. */
export interface GraphqlRequest {
  /** null: the request only names a persisted query. */
  readonly query: string | null
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined
}

/** @throws ApiError BAD_USER_INPUT when the body is not a request of GraphQL */
export function readRequest(body: unknown): GraphqlRequest {
  if (Array.isArray(body)) throw badInput('body', 'must be one operation; batches are not taken.')
  if (!isObject(body)) throw badInput('body', 'must be a JSON object with a query.')
  const { query, operationName = null, variables = null, extensions = null } = body
  if (operationName !== null && typeof operationName !== 'string') throw badInput('operationName', 'must be a text.')
  if (variables !== null && !isObject(variables)) throw badInput('variables', 'must be a JSON object.')
  if (extensions !== null && !isObject(extensions)) throw badInput('extensions', 'must be a JSON object.')
  const rest = { operationName: nameOrNone(operationName), variables, extensions }
  if (typeof query === 'string') return { query, ...rest }
  if (extensions?.persistedQuery !== undefined) return { query: null, ...rest }
  throw badInput('query', 'must be a text.')
}

/** No operation can have the empty name. Some clients send it when they have no name. */
export function nameOrNone(operationName: string | null | undefined): string | null {
  return operationName || null
}

/**
 * The request in the URL of a GET. A parameter that is empty is as none, except `query`.
 *
 * @throws ApiError BAD_USER_INPUT
 */
export function readUrl(url: string, limits: BodyLimits): GraphqlRequest {
  const start = url.indexOf('?')
  const search = start < 0 ? '' : url.slice(start + 1)
  try {
    // URLSearchParams would replace bytes that are not UTF-8 without an error.
    decodeURIComponent(search)
  } catch {
    throw badInput('url', 'must be percent-encoded UTF-8.')
  }
  const given = new URLSearchParams(search)
  // A person may have opened the URL in a browser.
  if (search === '') throw badInput('query', 'is missing in the URL; GraphiQL, where it is on, is at /graphiql.')
  return readRequest({
    query: one(given, 'query'),
    operationName: one(given, 'operationName'),
    variables: readJson(given, 'variables', limits),
    extensions: readJson(given, 'extensions', limits),
  })
}

function readJson(given: URLSearchParams, name: string, limits: BodyLimits): unknown {
  const text = one(given, name)
  return text === undefined || text === '' ? undefined : parseExactJson(text, limits, name)
}

function one(given: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = given.getAll(name)
  if (others.length > 0) throw badInput(name, 'stands more than once in the URL.')
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
