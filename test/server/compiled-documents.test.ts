import { type ExecutionResult, execute, GraphQLError, parse, validate } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Execution, Executor } from '../../src/server/execution/executor.ts'
import { inOurWords, quotingLess } from '../support/documents/by-graphql.ts'
import { type Asked, Documents } from '../support/documents/documents.ts'
import { idle, rootOf, type Strange, strangeSchema } from '../support/documents/strange-schema.ts'
import { Random } from '../support/random.ts'

/** How many documents, and from which seed; a failure names the seed that makes its document the first one. */
const count = Number(process.env.DOCUMENTS ?? 2_000)
const firstSeed = Number(process.env.DOCUMENTS_SEED ?? 1)

const schema = strangeSchema()
// GraphQL itself leaves rejections unhandled, where an item of a list fails while others are pending.
let unhandled = 0
const listeners = process.listeners('unhandledRejection')
beforeAll(() => {
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', () => {
    unhandled += 1
  })
})
afterAll(() => {
  process.removeAllListeners('unhandledRejection')
  for (const listener of listeners) process.on('unhandledRejection', listener)
})

const taste = { kinds: ['query', 'query', 'mutation', 'subscription'], depth: 5, width: 5, wrong: 0.004 } as const

const documents = new Documents(schema, taste)

test(
  'compiled documents answer what GraphQL answers',
  async () => {
    const counts = { made: 0, valid: 0, withErrors: 0, compared: 0 }
    for (let seed = firstSeed; counts.valid < count; seed++) {
      counts.made += 1
      const asked = documents.make(seed)
      const document = parse(asked.query)
      if (validate(schema, document).length > 0) continue
      counts.valid += 1
      const executor = new Executor(schema)
      const random = new Random(seed)
      // What is kept of one execution may not show in the next one, nor in one that runs at the same time.
      const runs = [asked.variables, asked.others, asked.variables].map((variableValues) => ({
        strange: { seed: random.below(1e9), faults: random.pick([0, 0.01, 0.05, 0.2]) },
        execution: { document, operationName: asked.operationName, variableValues },
      }))
      const right = await Promise.all(runs.map((run) => answerOf(run, (given) => byGraphql(given))))
      unhandled = 0
      const compiled = await Promise.all(runs.map((run) => answerOf(run, (given) => executor.execute(given))))
      if (unhandled > 0) expect(unhandled, saying(seed, asked)).toBe(0)
      for (const [index, answer] of right.entries()) {
        counts.compared += 1
        if (answer.includes('"errors":')) counts.withErrors += 1
        if (compiled[index] !== answer) expect(compiled[index], saying(seed, asked)).toBe(answer)
      }
    }
    if (process.env.DOCUMENTS) console.log(counts)
  },
  Math.max(60_000, count * 100),
)

async function byGraphql(given: Execution): Promise<ExecutionResult> {
  const { errors, ...rest } = await execute({ schema, ...given })
  return errors === undefined ? rest : { ...rest, errors: errors.map(toldHere) }
}

function toldHere(error: GraphQLError): GraphQLError {
  const { message, path } = inOurWords(error.message)
  if (path === undefined && message === error.message) return error
  const { nodes, originalError, extensions } = error
  return new GraphQLError(message, {
    nodes,
    originalError: originalError && new GraphQLError(quotingLess(originalError.message)),
    extensions: path === undefined ? extensions : { ...extensions, path },
  })
}

interface Given {
  readonly strange: Pick<Strange, 'seed' | 'faults'>
  readonly execution: Pick<Execution, 'document' | 'operationName' | 'variableValues'>
}

async function answerOf(
  { strange, execution }: Given,
  run: (execution: Execution) => PromiseLike<ExecutionResult> | ExecutionResult,
): Promise<string> {
  const context: Strange = { ...strange, calls: [] }
  let answer: ExecutionResult | null = null
  Promise.resolve(run({ ...execution, rootValue: rootOf(context), contextValue: context })).then((result) => {
    answer = result
  })
  await idle()
  if (answer === null) return 'never answered'
  const { errors, ...rest } = answer as ExecutionResult
  const causes = errors?.map((error) => [error instanceof GraphQLError, error, String(error.originalError)])
  return JSON.stringify({ ...rest, errors: causes, calls: context.calls }, null, 1)
}

function saying(seed: number, { query, operationName, variables, others }: Asked): string {
  return `DOCUMENTS_SEED=${seed} ${operationName} ${JSON.stringify([variables, others])}\n${query}\n`
}
