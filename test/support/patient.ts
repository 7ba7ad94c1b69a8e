/** Settings of a server that waits for a busy machine: for what many do at once, where no limit is what is tested. */
export const patient = {
  POOL_TIMEOUT_MS: '60000',
  LOCK_TIMEOUT_MS: '60000',
  STATEMENT_TIMEOUT_MS: '60000',
  REQUEST_TIMEOUT_MS: '120000',
}
