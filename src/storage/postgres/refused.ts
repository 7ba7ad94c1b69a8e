/**
 * Whether PostgreSQL refused a statement, so that nothing of it is stored: its classes of bad values, broken constraints,
 * deadlocks, and locks that nobody let go of.
 */
export function isRefused(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^((22|23|55)...|40001|40P01)$/.test(code)
}
