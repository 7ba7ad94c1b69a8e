import { setImmediate as turn } from 'node:timers/promises'

/** Longer than a test may take: what goes on after it would starve all others. */
const longestMs = 120_000

/** Waits for what nobody tells of: looks again with every turn of the event loop, until the test's own time limit. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + longestMs
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error('It did not come to be true within two minutes.')
    await turn()
  }
}
