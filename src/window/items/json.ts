import type { JsonRecord } from '../../entities/json.ts'

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** A text unchanged; any other value as JSON. */
export function textOfJson(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}
