import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The long form of the battery. It brings its own PostgreSQL. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/faults/battery.ts', 'test/faults/history.test.ts'],
    // Each fault takes the time that it takes; all together, under 15 minutes on a machine of its own. On a busy one, a
    // server alone takes half a minute to start.
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
})
