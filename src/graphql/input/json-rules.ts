import { contractLimits, type Limits } from '../../config.ts'
import type { JsonRecord } from '../../entities/json.ts'
import { badInput, tooLarge } from '../../errors.ts'
import { requireStorable } from './text-rules.ts'

/**
 * Refuses a value that would not come back as an equal value, or would not be safe on the way.
 *
 * @param depth how many arrays and objects are around the value
 * @throws ApiError BAD_USER_INPUT
 */
export function requireStorableJson(path: string, value: unknown, depth = 0): void {
  if (typeof value === 'string') requireStorable(path, value)
  if (typeof value === 'number' && !Number.isFinite(value))
    throw badInput(path, 'has a number beyond the range of a double.')
  if (typeof value !== 'object' || value === null) return
  if (depth === contractLimits.jsonDepth) {
    throw badInput(path, `must be JSON that is nested at most ${contractLimits.jsonDepth} deep.`)
  }
  if (Array.isArray(value)) {
    for (const item of value) requireStorableJson(path, item, depth + 1)
    return
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw badInput(path, 'must not have a key __proto__.')
    requireStorable(path, key)
    requireStorableJson(path, item, depth + 1)
  }
}

/** @throws ApiError PAYLOAD_TOO_LARGE */
export function requireMetadata(path: string, metadata: JsonRecord, limits: Limits): void {
  const bytes = jsonBytes(metadata)
  if (bytes > limits.metadataBytes) throw tooLarge(path, 'bytes', limits.metadataBytes, bytes)
}

/** How many bytes the value has as JSON text in UTF-8. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
