/** The longest delay of a timer, about 25 days. A proof that is valid for longer is treated as if it expired then. */
const longestTimer = 2 ** 31 - 1

/**
 * Calls `act` when a proof expires. Clear the timer when the connection that the proof opened ends before.
 *
 * @param expiresAt in milliseconds since 1970; null: never, and there is no timer
 */
export function atExpiry(expiresAt: number | null, act: () => void): NodeJS.Timeout | undefined {
  if (expiresAt === null) return undefined
  return setTimeout(act, Math.min(Math.max(expiresAt - Date.now(), 0), longestTimer)).unref()
}
