import type { Viewer } from '../auth/viewer.ts'
import type { Limits } from '../config.ts'
import type { FeedSource } from '../live/feed.ts'
import type { ListMemory } from '../live/list-reader.ts'
import type { People } from '../live/people/people.ts'
import type { ServerSelf } from '../observe/server-self.ts'
import type { Appender } from '../storage/append/appender.ts'
import type { Eraser } from '../storage/conversation/eraser.ts'
import type { AnswerBudget } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import type { StreamWriter } from '../storage/stream/stream-writer.ts'
import type { TokenCounter } from '../tokens/token-counter.ts'
import type { Loaders } from './loaders.ts'

/** What resolvers need of the server. */
export interface Services {
  readonly store: Store
  readonly appender: Appender
  readonly streamWriter: StreamWriter
  readonly feeds: FeedSource
  readonly people: People
  readonly eraser: Eraser
  readonly tokens: TokenCounter
  readonly limits: Limits
  readonly lists: ListMemory
  readonly self: ServerSelf
}

/** One operation, or one event of a subscription. */
export interface Context {
  readonly requestId: string
  readonly viewer: Viewer
  readonly services: Services
  readonly loaders: Loaders
  readonly budget: AnswerBudget
  /** How many context windows this operation has read so far. They are limited: one may read, count and store much. */
  windows: number
}
