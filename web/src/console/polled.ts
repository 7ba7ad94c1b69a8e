import type { OperationVariables, TypedDocumentNode } from '@apollo/client'
import { useApolloClient } from '@apollo/client/react'
import { useEffect, useState } from 'react'
import { sayFailure } from './failure.ts'

export interface Polled<Data> {
  /** The last answer; undefined: there was none yet. */
  readonly data: Data | undefined
  /** When it came, by `performance.now()`. */
  readonly at: number
  /** Why there was no answer the last time, in words; null: there was one. */
  readonly failure: string | null
}

const nothing = { data: undefined, at: 0, failure: null }

/**
 * Asks again and again, `everyMs` after each answer, while somebody can see the page. Nothing goes into the cache: what a
 * console shows is of now.
 */
export function usePolled<Data, Variables extends OperationVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  everyMs: number,
): Polled<Data> {
  const client = useApolloClient()
  const [state, setState] = useState<Polled<Data>>(nothing)
  const asked = JSON.stringify(variables)
  useEffect(() => {
    const over = new AbortController()
    const { signal } = over
    const poll = async () => {
      const variables = JSON.parse(asked)
      while (!signal.aborted) {
        try {
          const { data } = await client.query<Data>({ query, variables, fetchPolicy: 'no-cache' })
          if (!signal.aborted) setState({ data, at: performance.now(), failure: null })
        } catch (error) {
          if (!signal.aborted) setState((last) => ({ ...last, failure: sayFailure(error) }))
        }
        await pause(everyMs, signal)
        await untilSeen(signal)
      }
    }
    setState(nothing)
    void poll()
    return () => over.abort()
  }, [client, query, asked, everyMs])
  return state
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function untilSeen(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve()
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', () => resolve(), { once: true, signal })
    signal.addEventListener('abort', () => resolve())
  })
}
