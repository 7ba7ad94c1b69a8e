import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Building the image, without Docker: it takes minutes, root, and the packages of Debian and of npm. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/deploy/image.ts'], testTimeout: 1_800_000, hookTimeout: 600_000 },
})
