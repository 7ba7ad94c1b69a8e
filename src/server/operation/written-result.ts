import type { ExecutionResult, GraphQLFormattedError } from 'graphql'

/** A result as callers get it. */
export type FormattedResult = Omit<ExecutionResult, 'errors'> & { errors?: readonly GraphQLFormattedError[] }

const texts = new WeakMap<FormattedResult, string>()
const ends = new WeakMap<FormattedResult, Buffer>()

/** The result as JSON, written once however often it is sent. */
export function textOf(result: FormattedResult): string {
  const text = texts.get(result) ?? JSON.stringify(result)
  texts.set(result, text)
  return text
}

/** The end of every message of a socket that has this result as its payload, made once however often it is sent. */
export function messageEndOf(result: FormattedResult): Buffer {
  const end = ends.get(result) ?? Buffer.from(`${JSON.stringify(result)}}`)
  ends.set(result, end)
  return end
}
