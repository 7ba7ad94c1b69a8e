import { toTimestamp } from '../../entities/timestamp.ts'

/** The value of a json or jsonb column. The driver gives it as text. */
export function readJson<T>(value: unknown): T | null {
  return value === null ? null : (JSON.parse(value as string) as T)
}

/** The text of a json or jsonb parameter. */
export function writeJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

/** The value of a timestamp that may be null, as `readable` selects it. */
export function readTimestamp(value: unknown): string | null {
  return value === null ? null : toTimestamp(value as string)
}
