import { hash } from 'node:crypto'
import type { JsonRecord } from '../../entities/json.ts'

const version = 1

/** A message's input; only its own members and those of its tool calls are looked at by name. */
export interface Payload {
  readonly toolCalls?: readonly object[] | null
}

/**
 * A version byte and the SHA-256 of a message's original input: equal for equal JSON values, whatever the order of
 * their keys, and with null equal to absent. It decides whether a repeated client id is a retry, so what it covers
 * changes only together with the version.
 */
export function hashPayload(input: Payload): Buffer {
  return Buffer.concat([Buffer.of(version), hash('sha256', canonical(input), 'buffer')])
}

/** JSON with sorted keys. Null members of the input itself and of its tool calls are left out: they equal absent ones. */
function canonical(input: Payload): string {
  return JSON.stringify(sorted(input, new Set([input, ...(input.toolCalls ?? [])])))
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
