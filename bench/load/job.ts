/** What the generator is asked to do, and what it answers. Both go from process to process as JSON. */
export type Job = RequestJob | PacedJob | WatchJob | StreamJob

/**
 * One HTTP request as text. In `headers` and `body`, `<user>` and `<conversation>` stand for one of the conversations,
 * `<client-id>` for a text that is never used again, `<content>` for a message's text, `<cursor>` for one of `cursors`.
 */
export interface RequestTemplate {
  readonly path: string
  /** `name: value` lines. */
  readonly headers: readonly string[]
  readonly body: string
  /** Every answer holds it so many times. */
  readonly expected: { readonly text: string; readonly times: number }
}

export interface Server {
  readonly port: number
}

/** Every connection sends its next request when the last one is answered. */
export interface RequestJob extends Server {
  readonly kind: 'requests'
  readonly request: RequestTemplate
  readonly connections: number
  readonly conversations: Conversations
  readonly cursors?: readonly string[]
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface RequestResult extends Latency {
  /** Answered rightly within the measured time. */
  readonly completed: number
  readonly seconds: number
  /** Answered rightly, all in all. */
  readonly answered: number
  readonly errors: number
  readonly firstError: string | null
  /** Answered rightly in each whole second of the measured time. */
  readonly perSecond: readonly number[]
}

/** So many requests in a second, however long the answers take. */
export interface PacedJob extends Server {
  readonly kind: 'paced'
  readonly request: RequestTemplate
  readonly conversations: Conversations
  readonly perSecond: number
  /** More than are ever under way at once; a request that finds none free is late. */
  readonly connections: number
  /** Whether a refusal for its rate, or of a server that has too much to do, is right as well. */
  readonly mayBeRefused: boolean
  readonly warmUpSeconds: number
  readonly seconds: number
}

/** The latencies are those of requests that were answered rightly. */
export interface PacedResult extends Latency {
  readonly completed: number
  readonly refused: number
  readonly seconds: number
  readonly errors: number
  readonly firstError: string | null
}

/** Users `prefix` and a number, and the id by which they know the conversation. */
export interface Members {
  readonly prefix: string
  readonly conversation: string
}

/** Sockets that watch, and appends at a fixed rate that they are to be told of. */
export interface WatchJob extends Server {
  readonly kind: 'watch'
  readonly socketPort: number
  readonly path: string
  readonly protocol: 'graphql-transport-ws' | 'bare'
  /** What a socket sends in `connection_init`, with `<user>`. */
  readonly connectionParams: string
  /** The payload of a `subscribe`, with `<conversation>`. */
  readonly subscription: string
  readonly watchers: number
  readonly watchersPerSocket: number
  /** The watchers take one after the other of these conversations, and begin again after the last one. */
  readonly conversations: Conversations
  /** Absent: the watchers are the owners. Given: each is a user of its own, who takes part in one conversation. */
  readonly members?: Members
  /** null: nothing is appended; the sockets stay open for `seconds`. */
  readonly append: {
    readonly request: RequestTemplate
    readonly connections: number
    readonly perSecond: number
  } | null
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface WatchResult extends Latency {
  readonly seconds: number
  /** Appended within the measured time, and what watchers were told of it. */
  readonly appended: number
  readonly delivered: number
  /** What was to be delivered and was not, and the other way round. */
  readonly missing: number
  readonly errors: number
  readonly firstError: string | null
  /** How late the generator itself was at worst, in milliseconds: above the latencies it says that the machine was full. */
  readonly behind: number
}

/** Producers of text on one server, and a watcher of each message on every server. */
export interface StreamJob {
  readonly kind: 'streams'
  readonly servers: readonly Server[]
  readonly headers: readonly string[]
  readonly connectionParams: string
  readonly streams: number
  readonly tokensPerSecond: number
  readonly seconds: number
}

export interface StreamResult {
  /** By the server that is watched; the first one is the producers'. */
  readonly latencies: readonly Latency[]
  readonly appended: number
  /** That it took: longer than asked for when the producers had to wait for answers. */
  readonly seconds: number
  readonly missing: number
  readonly errors: number
  readonly firstError: string | null
}

/** Numbers of conversations: `count` from `first` on. */
export interface Conversations {
  readonly first: number
  readonly count: number
  /** The one conversation of this user, instead of numbers. */
  readonly only?: { readonly user: string; readonly id: string }
}

/** Milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

/** What the generator tells while it works. */
export type Notice =
  | { readonly event: 'began' }
  | { readonly event: 'ended' }
  | { readonly event: 'done'; readonly result: unknown }

export interface ResultOf {
  requests: RequestResult
  paced: PacedResult
  watch: WatchResult
  streams: StreamResult
}
