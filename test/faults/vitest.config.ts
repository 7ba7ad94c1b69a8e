import { defineConfig } from 'vitest/config'
import { wholeModules } from '../support/whole-modules.ts'

/** The long form of the battery, which brings its own PostgreSQL, and the tests of what it judges by. */
export default defineConfig({
  plugins: [wholeModules()],
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/faults/battery.ts', 'test/faults/history.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
})
