/**
 * Whether PostgreSQL refused a statement, so that nothing of it is stored. The codes stand for bad values (22), broken
 * constraints (23), locks that could not be had (55), and conflicts of transactions (40001, 40P01).
 *
 * A statement that was cancelled for its time (57014) is not among them, though a wait for a lock ends in that way on a
 * worker of Citus, which does not have the session's `lock_timeout`. Whoever asks here does the same again in smaller
 * parts, and each part would wait as long as the whole has waited.
 */
export function isRefused(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^((22|23|55)...|40001|40P01)$/.test(code)
}
