import { keyOf, standardData } from '../bench/data.ts'
import { appendStatements } from '../src/storage/append/append-statements.ts'
import { appendColumns, type MessageProperty } from '../src/storage/message/message-columns.ts'

/**
 * The text of `bench/peers/pgbench.sql`: the server's own statement that appends one message, with an expression in place
 * of each parameter. pgbench prepares the statement, and then its variables are parameters again.
 */
export function renderPgbenchScript(): string {
  const columns = appendColumns.map(({ property }) => message[property] ?? 'null')
  const values = [keyOf(user, ':conversation::text'), `(${user})`, noNumber, '1', noNumber, '1', ...columns]
  return `${head}${withValues(appendStatements.update.atOnce.one.text, values)};\n`
}

const head = `-- Made by npm run generate: the server's own statement for one append, and nothing around it: no HTTP, no GraphQL.
-- One commit per append.
\\set conversation random(0, ${standardData.conversations - 1})
\\set owner :conversation / 100
\\set length random(20, 1500)
\\set client_high random(0, 2147483647)
\\set client_low random(0, 2147483647)
\\set zero 0`

/** The owner of the conversation, as in bench/data.ts. */
const user = `'user-' || :owner::text`

/**
 * A null that the planner does not see. With a plain null the planner leaves out the conditions on the epoch and on the
 * last seq.
 */
const noNumber = 'nullif(:zero, 0)'

/** The columns of the message, as in the messages that the servers get. Every other column is null. */
const message: Partial<Record<MessageProperty, string>> = {
  role: `'USER'`,
  content: `left(repeat('word ', 300), :length::int)`,
  clientId: `(:client_high::text || '-' || :client_low::text)`,
  status: `'COMPLETE'`,
  metadata: `'{}'`,
  size: ':length',
  payloadHash: `'\\x01${'00'.repeat(32)}'`,
}

/** @param values of `$1`, `$2` … @throws Error unless the statement takes exactly as many */
function withValues(statement: string, values: readonly string[]): string {
  const taken = new Set<number>()
  const text = statement.replaceAll(/\$(\d+)/g, (parameter, number: string) => {
    const value = values[Number(number) - 1]
    if (value === undefined) throw new Error(`pgbench has no value for ${parameter} of the append.`)
    taken.add(Number(number))
    return value
  })
  if (taken.size < values.length) throw new Error(`The append takes ${taken.size} values, and not ${values.length}.`)
  return text
}
