export type JsonRecord = Record<string, unknown>

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a record that has a text in a field. */
export function hasText(value: unknown, field: string): boolean {
  return isRecord(value) && typeof value[field] === 'string'
}

/** A text that is not empty; otherwise null. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** Without the fields that are null, or empty lists or objects. */
export function withoutNothing(record: JsonRecord): JsonRecord {
  const isSomething = (value: unknown) =>
    value !== null && value !== undefined && (typeof value !== 'object' || Object.keys(value).length > 0)
  return Object.fromEntries(Object.entries(record).filter(([, value]) => isSomething(value)))
}
