/** Whether an argument has a value: null is the same as absent. */
export function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined
}
