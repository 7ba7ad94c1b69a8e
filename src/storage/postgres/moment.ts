/*
 * A moment is a time of the database's clock, in whole microseconds since 1970. A JavaScript Date would cut it to
 * milliseconds. The database's clock is the one that counts, because the clocks of servers may differ.
 */

/** A timestamptz as a moment. It is exact: PostgreSQL extracts a numeric, whatever the session's TimeZone is. */
export function toMoment(timestamptz: string): string {
  return `(extract(epoch from ${timestamptz}) * 1000000)::bigint`
}

/** A moment as a timestamptz. It is exact until the year 2255; after that a double cannot hold microseconds. */
export function fromMoment(moment: string): string {
  return `(timestamptz 'epoch' + ${microseconds(moment)})`
}

/**
 * A first CTE of a statement that reads. Its `at` is the time when the statement arrived, before its snapshot was taken.
 * On Citus it is the coordinator's time, as in all that is written; elsewhere in a statement `now()` would be the time of
 * each worker.
 */
export const clock = 'clock as materialized (select now() as at)'

/** A number of microseconds, as an interval. */
export function microseconds(count: string): string {
  return `${count}::bigint * interval '1 microsecond'`
}
