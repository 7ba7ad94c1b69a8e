import { afterEach } from 'vitest'
import type { Bed } from './bed.ts'
import { until } from './until.ts'

/** Every test of the file leaves nothing open, and not only the file. */
export function expectNothingOpenAfterEach(bed: Bed): void {
  afterEach(async () => {
    await until(() => {
      const { sockets, watchers, answerBytes, feedBytes } = bed.server.inspect()
      return sockets + watchers + answerBytes + feedBytes === 0
    })
  })
}
