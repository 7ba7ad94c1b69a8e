/**
 * The SQL of a time before that of a column. The way through UTC depends on no setting of the session, as Citus asks of
 * whatever a row is changed to.
 */
export function earlier(column: string, interval: string): string {
  return `((${column} at time zone 'UTC') - interval '${interval}') at time zone 'UTC'`
}
