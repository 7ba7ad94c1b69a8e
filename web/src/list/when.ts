const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const daysMs = 86_400_000

/** As short as it is clear: the time of today, the day of this week, or the date. */
export function sayWhen(iso: string): string {
  const date = new Date(iso)
  const today = new Date().setHours(0, 0, 0, 0)
  if (date.getTime() >= today) return time.format(date)
  return date.getTime() >= today - 6 * daysMs ? weekday.format(date) : day.format(date)
}
