import { execute } from 'graphql'
import { createSchema } from '../../src/graphql/schema.ts'
import { Executor } from '../../src/server/operation/executor.ts'

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
