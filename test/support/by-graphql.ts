import { execute } from 'graphql'
import { createSchema } from '../../src/graphql/schema.ts'
import { Executor } from '../../src/server/operation/executor.ts'
import type { Answer } from './api.ts'

const schema = createSchema()
const compiled = Executor.prototype.execute

/** Has graphql-js itself execute every document that this process is asked, until the work is done. */
export async function byGraphql<T>(work: () => Promise<T>): Promise<T> {
  executeByGraphql()
  try {
    return await work()
  } finally {
    Executor.prototype.execute = compiled
  }
}

/** Has graphql-js itself execute every document that this process is asked from now on. */
export function executeByGraphql(): void {
  Executor.prototype.execute = async (execution) => execute({ schema, ...execution })
}

/**
 * An answer of GraphQL with its errors of variables in our words: only the beginning of a long text is shown, nothing of
 * an object or a list, no name is suggested, and the place is also `path`.
 */
export function asToldHere({ errors, ...rest }: Answer): Answer {
  if (errors === undefined) return rest
  const told = errors.map((error) => {
    const parts = /^(Variable "\$\w+" got invalid value )(.*?)((?: at "([^"]+)")?; .*)$/s.exec(error.message)
    if (parts === null) return error
    const [, head, value = '', tail = '', place] = parts
    const message = `${head}${shown(value)}${tail.replace(/ Did you mean [^?]+\?$/, '')}`
    return place === undefined
      ? { ...error, message }
      : { ...error, message, extensions: { ...error.extensions, path: place } }
  })
  return { ...rest, errors: told }
}

function shown(value: string): string {
  if (value.startsWith('{')) return 'an object'
  if (value.startsWith('[')) return 'a list'
  return value.startsWith('"') && value.length > 42 ? `${value.slice(0, 41)}"…` : value
}
