import { setTimeout as pause } from 'node:timers/promises'

/** Longer than a test may take: what goes on after it would starve all others. */
const longestMs = 120_000

/** Whoever looks without a rest takes the core that is waited for. */
const betweenLooksMs = 2

/** Waits for what nobody tells of: looks again and again, until the test's own time limit. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + longestMs
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error('It did not come to be true within two minutes.')
    await pause(betweenLooksMs)
  }
}
