/**
 * A value as the API gives it back: what is undefined is left out, and dates are texts.
 *
 * @throws TypeError for what would come back as something else without a word: bytes, big integers, NaN
 */
export function asJson(value: object): unknown {
  return JSON.parse(JSON.stringify(value, requireJson))
}

/** Looks at the value before its `toJSON`, which bytes may have. */
function requireJson(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const given = this[key]
  if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer) {
    throw new TypeError(`${key}: bytes cannot be stored as JSON; give them as base64.`)
  }
  if (typeof given === 'number' && !Number.isFinite(given)) throw new TypeError(`${key}: ${given} is no JSON.`)
  return value
}

/** Whether two JSON values are equal, whatever the order of their keys. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const others = other as Record<string, unknown>
  const entries = Object.entries(one)
  if (entries.length !== Object.keys(others).length) return false
  return entries.every(([key, value]) => Object.hasOwn(others, key) && isSameJson(value, others[key]))
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
