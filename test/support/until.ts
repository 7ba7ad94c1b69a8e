import { setImmediate as turn } from 'node:timers/promises'

/** Waits for what nobody tells of: looks again with every turn of the event loop, until the test's own time limit. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await turn()
}
