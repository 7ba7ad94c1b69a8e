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

/**
 * A copy of a list or an object in which `change` made each value of an object, and left out what it made undefined. The
 * value itself when nothing changed: windows hold the stored parts themselves.
 */
export function changed(value: unknown, change: (record: JsonRecord, key: string) => unknown): unknown {
  if (Array.isArray(value)) {
    const made = value.map((item) => changed(item, change))
    return made.some((item, at) => item !== value[at]) ? made : value
  }
  if (!isRecord(value)) return value
  const made = Object.keys(value).map((key) => [key, change(value, key)] as const)
  if (made.every(([key, item]) => item === value[key])) return value
  return Object.fromEntries(made.filter(([, item]) => item !== undefined))
}
