/**
 * Whether a number stays the same as a double: the shortest text of that double is the same number. So `0.1` and `1.0`
 * are exact, and `12345678901234567890` and `1e400` are not.
 *
 * @param text a number in the grammar of JSON or GraphQL
 */
export function isExactNumber(text: string): boolean {
  const value = Number(text)
  const size = Math.abs(value)
  // Between these bounds a double keeps every number of 15 digits (DBL_DIG of IEEE 754).
  if (text.length <= 15 && size > 1e-250 && size < 1e250) return true
  return Number.isFinite(value) && decimal(text) === decimal(String(value))
}

/** The text that all equal numbers share: their digits without outer zeros, and a power of ten. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  // Where a power is too large to be counted exactly, the number is no double, unless it is 0.
  const exponent = Number(power) - fraction.length + digits.length - significant.length
  return `${sign === '-' ? '-' : ''}${significant}e${exponent}`
}
