import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql'
import { isExactNumber } from './exact-number.ts'
import { requireStorableJson } from './json-rules.ts'

export const JSONScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value. It comes back as an equal value, or it is refused.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  parseValue: (value) => checked(value),
  parseLiteral: (node, variables) => checked(literal(node, variables)),
})

export const JSONObjectScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSONObject',
  description: 'A JSON object. It comes back as an equal value, or it is refused.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  parseValue: (value) => requireObject(checked(value)),
  parseLiteral: (node, variables) => requireObject(checked(literal(node, variables)), node),
})

export const DateTimeScalar = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  description:
    'A time by RFC 3339 with up to six digits of a second, for example 2026-01-31T09:30:00.123456Z. Three more digits may follow when they are zeros. Answers are in UTC.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => String(value),
  parseValue: (value) => readDateTime(value),
  parseLiteral: (node) => readDateTime(node.kind === Kind.STRING ? node.value : null, node),
})

function checked(value: unknown): unknown {
  try {
    requireStorableJson('JSON', value)
  } catch (error) {
    // GraphQL shows the sentence of a GraphQLError as it is.
    const { message } = error as Error
    throw new GraphQLError(message, { originalError: error as Error })
  }
  return value
}

/** @param node where the value stands in the document; if it is a variable, GraphQL itself names it */
function requireObject(value: unknown, node: ValueNode | null = null): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new GraphQLError('A JSON object is needed here.', { nodes: node })
}

/** The objects of a document have no prototype. So even a field `__proto__` is only a key, and is refused. */
function literal(node: ValueNode, variables: Record<string, unknown> | null | undefined): unknown {
  requireExactNumbers(node)
  return valueFromASTUntyped(node, variables)
}

function requireExactNumbers(node: ValueNode): void {
  if (node.kind === Kind.LIST) for (const item of node.values) requireExactNumbers(item)
  else if (node.kind === Kind.OBJECT) for (const field of node.fields) requireExactNumbers(field.value)
  else if ((node.kind === Kind.INT || node.kind === Kind.FLOAT) && !isExactNumber(node.value)) {
    throw new GraphQLError(`The number ${node.value} does not fit into a double; send it as a text.`, { nodes: node })
  }
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/

/** The same instant in UTC. A leap second is refused: PostgreSQL would move it into the next minute. */
function readDateTime(value: unknown, node: ValueNode | null = null): string {
  const read = typeof value === 'string' ? rfc3339.exec(value) : null
  if (read === null) {
    throw new GraphQLError('A time by RFC 3339 with at most nine digits of a second is needed here.', { nodes: node })
  }
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = read
  // The dot is the first character.
  if (/[1-9]/.test(fraction.slice(7))) {
    throw new GraphQLError(
      'Times are kept in microseconds: of the digits of a second, only the first six may be other than 0.',
      {
        nodes: node,
      },
    )
  }
  const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const asUtc = new Date(`${wall}Z`)
  // Date turns 30 February into a day in March. Such a time is refused.
  const isReal = !Number.isNaN(asUtc.getTime()) && asUtc.toISOString().slice(0, 19) === wall
  const instant = new Date(`${wall}${zone.toUpperCase()}`)
  const inUtc = Number.isNaN(instant.getTime()) ? '' : instant.toISOString()
  if (!isReal || !/^\d{4}-/.test(inUtc) || inUtc.startsWith('0000'))
    throw new GraphQLError('There is no such time.', { nodes: node })
  const digits = fraction.replace(/\.?0+$/, '')
  return `${inUtc.slice(0, 19)}${digits}Z`
}
