import type { TestServer } from '../server.ts'

/** The first entry of the log that fits, of those that are there or as soon as it is written. */
export function logged(
  server: TestServer,
  fits: (entry: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  const there = server.logged.find(fits)
  if (there) return Promise.resolve(there)
  const { logged: entries } = server
  const before = entries.push
  return new Promise((resolve) => {
    entries.push = (...added) => {
      const found = added.find(fits)
      if (found) {
        entries.push = before
        resolve(found)
      }
      return before.apply(entries, added)
    }
  })
}
