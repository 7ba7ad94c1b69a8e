/**
 * Whether PostgreSQL refused a statement, so that nothing of it is stored. The codes stand for bad values (22), broken
 * constraints (23), locks that could not be had (55), and conflicts of transactions (40001, 40P01).
 */
export function isRefused(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^((22|23|55)...|40001|40P01)$/.test(code)
}
