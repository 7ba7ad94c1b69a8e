import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { isLong } from './test/support/long.ts'
import { wholeModules } from './test/support/program/whole-modules.ts'

const path = (below: string) => fileURLToPath(new URL(below, import.meta.url))

/** What asks most of GraphQL's own rules: run again with its own algorithm in place of compiled documents. */
const underBothExecutors = isLong
  ? ['answer-bytes', 'errors', 'exactness', 'message-fields', 'query-limits', 'selected-columns']
  : ['errors', 'query-limits', 'selected-columns']

/** What a database that spreads conversations does in another way. */
const spread = isLong ? ['appends', 'streams'] : ['appends']

export default defineConfig({
  plugins: [wholeModules()],
  resolve: {
    // As Node resolves it: its other build would be a second GraphQL beside the one that the libraries load.
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      { find: /^@colloquy\/client$/, replacement: path('client/src/index.ts') },
      { find: /^@colloquy\/client\/(.*)$/, replacement: path('client/src/$1.ts') },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'compiled',
          include: ['test/**/*.test.ts'],
          exclude: ['test/clients/**', 'test/**/*-spread.test.ts'],
        },
      },
      // These put modules in the place of others, and run the tests of other files again with them.
      {
        extends: true,
        test: { name: 'spread', include: spread.map((name) => `test/**/${name}-spread.test.ts`), isolate: true },
      },
      { extends: true, test: { name: 'clients', include: ['test/clients/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'interpreted',
          include: underBothExecutors.map((name) => `test/**/${name}.test.ts`),
          setupFiles: 'test/support/program/interpreted.ts',
        },
      },
    ],
    globalSetup: 'test/support/database/cluster.ts',
    setupFiles: ['test/support/metadata.ts'],
    // Real servers and real PostgreSQL on two cores: generous, and never part of what a test asserts. Three of them, as
    // Citus, take several times as long.
    testTimeout: process.env.TEST_CITUS_URL ? 600_000 : 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 120_000 } },
    maxWorkers: 2,
    // The client of an earlier release is TypeScript, too.
    server: { deps: { inline: [/\.cache\/releases\//] } },
    // Files that follow each other in a process share its modules: loading them anew took a third of the time. No module of
    // the product has a state, and what a test sets for itself it takes back.
    isolate: false,
  },
})
