import { Type } from '@mikro-orm/core'

/**
 * A `timestamptz`. This program always holds it as RFC 3339 text in UTC with PostgreSQL's microseconds, for example
 * `2026-01-31T09:30:00.123456Z`. A JavaScript Date would cut the time to milliseconds.
 */
export class Timestamp extends Type<string, string> {
  override convertToJSValue(value: string): string {
    return toTimestamp(value)
  }

  override getColumnType(): string {
    return 'timestamptz(6)'
  }

  override compareAsType(): string {
    return 'string'
  }
}

/** Turns a time as PostgreSQL writes it in a UTC session, `2026-01-31 09:30:00.123456+00`, into RFC 3339. */
export function toTimestamp(postgres: string): string {
  return postgres.endsWith('+00') ? `${postgres.slice(0, 10)}T${postgres.slice(11, -3)}Z` : postgres
}

/** The microseconds since 1970 of an RFC 3339 text in UTC. A number holds them exactly until the year 2255. */
export function toMicroseconds(timestamp: string): number {
  const fraction = timestamp.slice(20, -1).padEnd(6, '0')
  return Date.parse(`${timestamp.slice(0, 19)}Z`) * 1_000 + Number(fraction)
}
