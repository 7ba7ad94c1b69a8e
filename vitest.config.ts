import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    // As Node resolves it: its other build would be a second GraphQL beside the one that the libraries load.
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/cluster.ts',
    setupFiles: ['test/support/metadata.ts'],
    // Real servers and real PostgreSQL on two cores: generous, and never part of what a test asserts.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
