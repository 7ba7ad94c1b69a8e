/*
 * A moment is a time of the database's clock in whole microseconds since 1970. A JavaScript Date would cut it to
 * milliseconds, and the clocks of servers may disagree.
 */

/** A timestamptz as a moment. Exact: PostgreSQL extracts numeric. */
export function toMoment(timestamptz: string): string {
  return `(extract(epoch from ${timestamptz}) * 1000000)::bigint`
}

/** A moment as a timestamptz. Exact until the year 2255, where a double ends to hold microseconds. */
export function fromMoment(moment: string): string {
  return `(timestamptz 'epoch' + ${microseconds(moment)})`
}

/** So many microseconds as an interval. */
export function microseconds(count: string): string {
  return `${count}::bigint * interval '1 microsecond'`
}
