import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from 'graphql-ws'
import { Inbox } from './inbox.ts'

/**
 * A graphql-ws client whose subscriptions go on where they were when it connects again: the variable `$after` of a
 * subscription follows the cursors of its results. Everything else is as the client itself does it; when and how often it
 * connects again is for its own `retryAttempts`, `shouldRetry` and `retryWait` to say.
 *
 * It moves the variables of the payload that the client holds: graphql-ws writes its `subscribe` message anew for every
 * connection.
 */
export function resumable(client: Client): Client {
  silenceClosed(client)

  const subscribe = <Data, Extensions>(
    payload: SubscribePayload,
    sink: Sink<FormattedExecutionResult<Data, Extensions>>,
  ): (() => void) => {
    const variables: Record<string, unknown> = { ...payload.variables }
    const takesCursor = /\$after\b/.test(payload.query)
    let isOver = false
    const stop = client.subscribe<Data, Extensions>(
      { ...payload, variables },
      {
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
      },
    )
    return stop
  }

  return {
    ...client,
    subscribe,
    iterate: <Data, Extensions>(payload: SubscribePayload) => {
      const inbox = new Inbox<FormattedExecutionResult<Data, Extensions>>(() => stop())
      const stop = subscribe<Data, Extensions>(payload, {
        next: (result) => inbox.push(result),
        error: (error) => inbox.fail(error),
        complete: () => inbox.finish(),
      })
      return inbox
    },
  }
}

const howToResume =
  'This subscription could not go on where it was: declare a variable $after: String, and pass it as `after: $after`.'

/**
 * A socket that the client has given up may still speak, as after `terminate()`, and the client would take its results
 * for those of the next one, which has begun after the last result that was seen.
 */
function silenceClosed(client: Client): void {
  let socket: { onmessage: unknown } | null = null
  client.on('opened', (opened) => {
    socket = opened as { onmessage: unknown }
  })
  client.on('closed', () => {
    if (socket !== null) socket.onmessage = null
    socket = null
  })
}
