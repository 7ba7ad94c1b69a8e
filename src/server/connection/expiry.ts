/** The longest delay of a timer, about 25 days: a proof that is valid for longer outlives whatever it opened. */
const longestTimer = 2 ** 31 - 1

/**
 * Acts when a proof expires; clear the timer when what it opened ends before.
 *
 * @param expiresAt in milliseconds since 1970; null: never, and there is no timer
 */
export function atExpiry(expiresAt: number | null, act: () => void): NodeJS.Timeout | undefined {
  if (expiresAt === null) return undefined
  return setTimeout(act, Math.min(Math.max(expiresAt - Date.now(), 0), longestTimer)).unref()
}
