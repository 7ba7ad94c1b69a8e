import type { JsonRecord } from './record.ts'

/**
 * A time as the API takes it from an import, in UTC with at most six digits of a second; null if the value is no time,
 * has more digits, or is before 1970 or in the future.
 *
 * @param value seconds or milliseconds since 1970, or a text by RFC 3339
 */
export function readTime(value: unknown): string | null {
  const time = typeof value === 'string' ? readText(value) : typeof value === 'number' ? readNumber(value) : null
  const milliseconds = time === null ? Number.NaN : Date.parse(time)
  return milliseconds > 0 && milliseconds <= Date.now() ? time : null
}

/**
 * Takes the time of a record out of it. A value that is no time stays, so that it is kept in the metadata.
 *
 * @param names of the fields that may have the time, the best first
 */
export function takeTime(record: JsonRecord, ...names: string[]): { time: string | null; rest: JsonRecord } {
  for (const name of names) {
    const time = readTime(record[name])
    if (time === null) continue
    const { [name]: _, ...rest } = record
    return { time, rest }
  }
  return { time: null, rest: record }
}

/** Seconds since 1970 reach this number in the year 5138; milliseconds passed it in 1973. */
const firstMilliseconds = 1e11

function readNumber(value: number): string | null {
  const micros = Math.round(value * (value < firstMilliseconds ? 1e6 : 1e3))
  const instant = new Date(Math.floor(micros / 1_000))
  if (Number.isNaN(instant.getTime()) || instant.getUTCFullYear() > 9_999) return null
  return `${instant.toISOString().slice(0, -1)}${String(micros % 1_000).padStart(3, '0')}Z`
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})0*)?([Zz]|[+-]\d\d:\d\d)$/

function readText(value: string): string | null {
  const [, date, clock, fraction, zone] = rfc3339.exec(value) ?? []
  if (date === undefined || zone === undefined) return null
  const instant = new Date(`${date}T${clock}${zone.toUpperCase()}`)
  if (Number.isNaN(instant.getTime())) return null
  return `${instant.toISOString().slice(0, 19)}${fraction === undefined ? '' : `.${fraction}`}Z`
}
