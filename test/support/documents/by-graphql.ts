import { execute } from 'graphql'
import { createSchema } from '../../../src/graphql/schema.ts'
import { Executor } from '../../../src/server/execution/executor.ts'
import type { Answer } from '../api.ts'

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

/** An answer of GraphQL with its errors of variables in our words. */
export function asToldHere({ errors, ...rest }: Answer): Answer {
  if (errors === undefined) return rest
  const told = errors.map((error) => {
    const { message, path } = inOurWords(error.message)
    return path === undefined ? { ...error, message } : { ...error, message, extensions: { ...error.extensions, path } }
  })
  return { ...rest, errors: told }
}

/**
 * What GraphQL says of a variable, in our words: only the beginning of a long text is shown, nothing of an object or a
 * list, no name is suggested, and the place is also told apart.
 */
export function inOurWords(message: string): { message: string; path?: string | undefined } {
  const parts = /^(Variable "\$\w+" got invalid value )(.*?)((?: at "([^"]+)")?; .*)$/s.exec(message)
  if (parts === null) return { message }
  const [, head, value = '', tail = '', path] = parts
  return { message: `${head}${shown(value)}${quotingLess(tail.replace(/ Did you mean [^?]+\?$/, ''))}`, path }
}

/** The sentence of a type of GraphQL's own, or of an enum, which ends with the object or the list that it refuses. */
export function quotingLess(sentence: string): string {
  return sentence.replace(/(value: )([[{].*?)(\.?)$/s, (_, before, value, dot) => `${before}${shown(value)}${dot}`)
}

function shown(value: string): string {
  if (value.startsWith('{')) return 'an object'
  if (value.startsWith('[')) return 'a list'
  return value.startsWith('"') && value.length > 42 ? `${value.slice(0, 41)}"…` : value
}
