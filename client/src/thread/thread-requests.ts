import { pause, Refusal, type Result } from '../connection/connection.ts'
import { finalAnswer } from '../connection/final-answer.ts'
import type { SubscribingClient } from '../connection/resumable.ts'

/** What the server answered, where trying again would not help. */
export class ThreadRefusal extends Error {
  override readonly name = 'ThreadRefusal'
}

/** In milliseconds; where the server does not say when. */
const shortestWait = 500
const longestWait = 10_000

/**
 * One query or mutation, tried again until it is answered. The client itself does that for a connection that is lost.
 *
 * @throws ThreadRefusal, or the reason of the signal
 */
export async function ask(
  client: SubscribingClient,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  for (let wait = shortestWait; ; wait = Math.min(2 * wait, longestWait)) {
    signal.throwIfAborted()
    try {
      return await askOnce(client, query, variables, signal)
    } catch (error) {
      signal.throwIfAborted()
      const final = finalAnswer(error)
      if (final !== null) throw new ThreadRefusal(final.message)
      // What the viewer may not do, it may not do later either.
      if (error instanceof Refusal && error.code === 'FORBIDDEN') throw new ThreadRefusal(error.message)
      await pause(error instanceof Refusal && error.retryAfterMs > 0 ? error.retryAfterMs : wait, signal)
    }
  }
}

function askOnce(
  client: SubscribingClient,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      stop()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', abort)
      settle()
    }
    const stop = client.subscribe(
      { query, variables },
      {
        next: (result) => {
          const { data, errors } = result as Result
          if (errors === undefined && data) end(() => resolve(data))
          else end(() => reject(new Refusal(errors)))
        },
        error: (error) => end(() => reject(Array.isArray(error) ? new Refusal(error) : asError(error))),
        complete: () => end(() => reject(new Error('It ended without an answer.'))),
      },
    )
  })
}

interface Follower {
  next(data: Record<string, unknown>): void
  complete(): void
  /** It cannot go on from where it was. @param retryAfterMs in how many milliseconds it is worth beginning again */
  lost(retryAfterMs: number): void
}

/** A subscription, which the client itself brings back over the next connection. @returns ends it */
export function follow(
  client: SubscribingClient,
  query: string,
  variables: Record<string, unknown>,
  follower: Follower,
): () => void {
  let isOver = false
  const stop = client.subscribe(
    { query, variables },
    {
      next: (result) => {
        if (isOver) return
        const { data, errors } = result as Result
        if (errors === undefined && data) follower.next(data)
        else lose(new Refusal(errors))
      },
      error: (error) => {
        if (!isOver) lose(Array.isArray(error) ? new Refusal(error) : error)
      },
      complete: () => {
        if (!isOver) follower.complete()
      },
    },
  )
  const end = () => {
    isOver = true
    stop()
  }
  const lose = (reason: unknown) => {
    end()
    follower.lost(reason instanceof Refusal ? reason.retryAfterMs || shortestWait : shortestWait)
  }
  return end
}

function asError(thrown: unknown): unknown {
  return thrown instanceof Error ? thrown : Object.assign(new Error('The connection was lost.'), thrown)
}
