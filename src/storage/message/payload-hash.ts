import { hash } from 'node:crypto'
import type { JsonRecord } from '../../entities/json.ts'
import type { GivenMessage } from './given-message.ts'
import { givenColumns } from './message-columns.ts'

const version = 1

/** Members of an input that the hash leaves out. */
const unhashed = new Set<string>(givenColumns.filter(({ hashed }) => !hashed).map(({ property }) => property))

/**
 * A version byte and the SHA-256 of the original input of a message, or of a completion: equal for equal JSON values, whatever
 * the order of their keys, and with null equal to absent. It decides whether a repeated call is a retry, so what it covers
 * changes only together with the version.
 */
export function hashPayload(input: Pick<GivenMessage, 'toolCalls'>): Buffer {
  return Buffer.concat([Buffer.of(version), hash('sha256', canonical(input), 'buffer')])
}

/** JSON with sorted keys. Null members of the input itself and of its tool calls are left out: they equal absent ones. */
function canonical(input: Pick<GivenMessage, 'toolCalls'>): string {
  const covered = unhashed.size === 0 ? input : withoutUnhashed(input)
  return JSON.stringify(sorted(covered, new Set<object>([covered, ...(input.toolCalls ?? [])])))
}

function withoutUnhashed(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([key]) => !unhashed.has(key)))
}

/** Not with a replacer, with which JSON.stringify takes twice as long. */
function sorted(value: unknown, inputs: ReadonlySet<object>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => sorted(item, inputs))
  const record = value as JsonRecord
  const withoutNull = inputs.has(value)
  const kept = Object.keys(record).filter((key) => !(withoutNull && record[key] === null))
  return Object.fromEntries(kept.sort().map((key) => [key, sorted(record[key], inputs)]))
}
