import { vi } from 'vitest'

// Where the database spreads conversations, each stream has a transaction of its own. Here every stream gets one.
vi.mock('../../src/storage/stream/stream-together.ts', () => ({ addTogether: async () => [] }))

await import('./streams.test.ts')
await import('./stream-writer.test.ts')
