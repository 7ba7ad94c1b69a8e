import { hash } from 'node:crypto'
import type { JsonRecord } from '../../entities/json.ts'
import type { GivenMessage } from './given-message.ts'
import { givenColumns } from './message-columns.ts'

const version = 1
/** The hash covers the seq of a parent that the caller named, and not the name. */
const parentVersion = 2

/** The members of an input that the hash does not cover. */
const unhashed = new Set<string>(givenColumns.filter(({ hashed }) => !hashed).map(({ property }) => property))

/**
 * A version byte and the SHA-256 of the original input of a message, or of a completion. Equal JSON values have equal
 * hashes: the order of keys does not count, and null equals absent. The hash decides whether a repeated call is a
 * retry, so the fields that it covers change only together with the version.
 */
export function hashPayload(input: Pick<GivenMessage, 'toolCalls'>): Buffer {
  return versioned(version, input)
}

/** What a caller gives of a message that names its parent. */
export type WithParent = GivenMessage & { readonly parentId?: unknown; readonly parentClientId?: unknown }

/** The same hash, in whichever way the input names its parent. In a fork the parent has the same seq. */
export function hashWithParent(input: WithParent, parentSeq: number): Buffer {
  const named = { ...input, parentId: null, parentClientId: null, parentSeq }
  return versioned(parentVersion, named)
}

function versioned(by: number, input: Pick<GivenMessage, 'toolCalls'>): Buffer {
  return Buffer.concat([Buffer.of(by), hash('sha256', canonical(input), 'buffer')])
}

/**
 * JSON with sorted keys. A null member of the input itself, or of one of its tool calls, is left out: null equals
 * absent there.
 */
function canonical(input: Pick<GivenMessage, 'toolCalls'>): string {
  const covered = unhashed.size === 0 ? input : withoutUnhashed(input)
  return JSON.stringify(sorted(covered, new Set<object>([covered, ...(input.toolCalls ?? [])])))
}

function withoutUnhashed(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([key]) => !unhashed.has(key)))
}

/** A replacer of JSON.stringify would do the same in twice the time. */
function sorted(value: unknown, inputs: ReadonlySet<object>): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => sorted(item, inputs))
  const record = value as JsonRecord
  const withoutNull = inputs.has(value)
  const kept = Object.keys(record).filter((key) => !(withoutNull && record[key] === null))
  return Object.fromEntries(kept.sort().map((key) => [key, sorted(record[key], inputs)]))
}
