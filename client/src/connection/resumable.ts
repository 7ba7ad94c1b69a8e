import type { Client as SocketClient } from 'graphql-ws'
import { Inbox } from './inbox.ts'

interface Payload {
  readonly query: string
  readonly variables?: Record<string, unknown> | null | undefined
}

interface Sink {
  next(result: { readonly extensions?: unknown }): void
  error(error: unknown): void
  complete(): void
}

/** What the clients of graphql-ws and of graphql-sse have in common. */
export interface SubscribingClient {
  subscribe(payload: Payload, sink: Sink, ...more: never[]): () => void
  iterate(payload: Payload, ...more: never[]): AsyncIterableIterator<unknown>
}

/**
 * A client of graphql-ws or of graphql-sse whose subscriptions go on where they were when it connects again: the variable
 * `$after` of a subscription follows the cursors of its results. Everything else is as the client itself does it; when and
 * how often it connects again is for its own options to say, as `retryAttempts`.
 *
 * It moves the variables of the payload that the client holds: both clients write their request anew for every
 * connection.
 */
export function resumable<Client extends SubscribingClient>(client: Client): Client {
  if ('on' in client) silenceClosed(client as unknown as SocketClient)

  const subscribe = (payload: Payload, sink: Sink, ...more: never[]): (() => void) => {
    const variables: Record<string, unknown> = { ...payload.variables }
    const takesCursor = /\$after\b/.test(payload.query)
    let isOver = false
    const following: Sink = {
      next: (result) => {
        if (isOver) return
        const { cursor } = (result.extensions ?? {}) as { cursor?: unknown }
        if (typeof cursor === 'string') {
          if (!takesCursor) {
            isOver = true
            stop()
            return sink.error(new Error(howToResume))
          }
          variables.after = cursor
        }
        sink.next(result)
      },
      error: (error) => {
        if (!isOver) sink.error(error)
      },
      complete: () => {
        if (!isOver) sink.complete()
      },
    }
    const stop = client.subscribe({ ...payload, variables }, following, ...more)
    return stop
  }

  const iterate = (payload: Payload, ...more: never[]): AsyncIterableIterator<unknown> => {
    const inbox = new Inbox<unknown>(() => stop())
    const sink: Sink = {
      next: (result) => inbox.push(result),
      error: (error) => inbox.fail(error),
      complete: () => inbox.finish(),
    }
    const stop = subscribe(payload, sink, ...more)
    return inbox
  }

  return { ...client, subscribe, iterate }
}

const howToResume =
  'This subscription could not go on where it was: declare a variable $after: String, and pass it as `after: $after`.'

/**
 * A socket that the client has given up may still speak, as after `terminate()` or an error, and the client would take its
 * results for those of the next one, which has begun after the last result that was seen. After an error it may also close
 * long after the next one has opened: the client would take that for the end of the next one, and leave that one open.
 */
function silenceClosed(client: SocketClient): void {
  let socket: Pick<WebSocket, 'onmessage' | 'onerror' | 'onclose'> | null = null
  client.on('opened', (opened) => {
    socket = opened as WebSocket
  })
  const silence = () => {
    if (socket !== null) socket.onmessage = null
  }
  client.on('error', silence)
  client.on('closed', () => {
    silence()
    socket = null
  })
  client.on('connecting', () => {
    if (socket !== null) Object.assign(socket, { onerror: null, onclose: null })
    socket = null
  })
}
