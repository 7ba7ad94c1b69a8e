const whole = new Intl.NumberFormat()
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 })
const units = ['B', 'KiB', 'MiB', 'GiB']
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

export const sayCount = (count: number) => whole.format(count)

/** @param many of the noun, where it takes more than an s */
export const sayNumber = (count: number, noun: string, many = `${noun}s`) =>
  `${sayCount(count)} ${count === 1 ? noun : many}`

/** Three digits: what changes each second is read at a glance. */
export const sayFigure = (value: number) => (value >= 100 ? whole.format(Math.round(value)) : short.format(value))

export function sayBytes(bytes: number): string {
  let unit = 0
  let size = bytes
  for (; size >= 1_024 && unit < units.length - 1; unit += 1) size /= 1_024
  return `${unit === 0 ? size : short.format(size)} ${units[unit]}`
}

/** The time of today, and the date of another day. */
export function When({ at }: { readonly at: string }) {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date().toDateString()
  return (
    <time dateTime={at} title={at}>
      {(isToday ? time : dateAndTime).format(date)}
    </time>
  )
}
