import { Type } from '@mikro-orm/core'

/**
 * A `timestamptz`. This program always holds it as RFC 3339 text in UTC with PostgreSQL's microseconds, for example
 * `2026-01-31T09:30:00.123456Z`. A JavaScript Date would cut the time to milliseconds.
 */
export class Timestamp extends Type<string, string> {
  override convertToJSValue(value: string): string {
    return toTimestamp(value)
  }

  override convertToJSValueSQL(column: string): string {
    return readable(column)
  }

  override getColumnType(): string {
    return 'timestamptz(6)'
  }

  override compareAsType(): string {
    return 'string'
  }
}

/**
 * The SQL expression that `toTimestamp` reads: the seconds since 1970 with six decimals. As text, a timestamptz would
 * have the form that TimeZone and DateStyle of the session ask for, and a pooler may drop what a session asks for. The
 * way through UTC makes the expression immutable, and so Citus takes it in RETURNING. It takes PostgreSQL as long as the
 * text.
 */
export function readable(timestamptz: string): string {
  return `extract(epoch from ${timestamptz} at time zone interval '0')`
}

/** Turns the seconds since 1970, `1769851800.123456`, into RFC 3339. PostgreSQL writes no zeros at a fraction's end. */
export function toTimestamp(seconds: string): string {
  const point = seconds.length - 7
  let whole = Number(seconds.slice(0, point))
  let fraction = seconds.slice(point)
  if (seconds.startsWith('-') && fraction !== '.000000') {
    whole -= 1
    fraction = `.${String(1_000_000 - Number(fraction.slice(1))).padStart(6, '0')}`
  }
  if (fraction.endsWith('0')) fraction = fraction.replace(/\.?0+$/, '')
  const day = Math.floor(whole / 86_400)
  const second = whole - day * 86_400
  const minute = Math.trunc(second / 60)
  return `${dateOf(day)}T${two[Math.trunc(minute / 60)]}:${two[minute % 60]}:${two[second % 60]}${fraction}Z`
}

/** Hours, minutes and seconds in two digits. */
const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

let lastDay = { day: 0, date: '1970-01-01' }

/** The date of a day, counted from 1970. The times of one answer are mostly of one day. */
function dateOf(day: number): string {
  if (lastDay.day !== day) lastDay = { day, date: new Date(day * 86_400_000).toISOString().slice(0, 10) }
  return lastDay.date
}

/** The microseconds since 1970 of an RFC 3339 text in UTC. A number holds them exactly until the year 2255. */
export function toMicroseconds(timestamp: string): number {
  const fraction = timestamp.slice(20, -1).padEnd(6, '0')
  return Date.parse(`${timestamp.slice(0, 19)}Z`) * 1_000 + Number(fraction)
}

/** The opposite, with all six digits. */
export function fromMicroseconds(micros: number): string {
  const second = new Date(Math.floor(micros / 1_000)).toISOString().slice(0, 19)
  return `${second}.${String(micros % 1_000_000).padStart(6, '0')}Z`
}
