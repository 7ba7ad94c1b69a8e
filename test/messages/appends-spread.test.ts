import { vi } from 'vitest'

// Where the database spreads conversations, an append is two statements in a transaction, and each conversation has a
// lane of its own. One PostgreSQL takes these statements too.
vi.mock('../../src/storage/append/appender.ts', async (importOriginal) => {
  const { Appender } = await importOriginal<typeof import('../../src/storage/append/appender.ts')>()
  class SpreadAppender extends Appender {
    constructor(...[store, ...rest]: ConstructorParameters<typeof Appender>) {
      super({ ...store, spreads: true }, ...rest)
    }
  }
  return { Appender: SpreadAppender }
})

await import('./appends.test.ts')
await import('./branches.test.ts')
await import('./gather.test.ts')
await import('../conversations/brought-times.test.ts')
