import type { JSONWebKeySet } from 'jose'

/** Milliseconds that the identity provider has for its answer. */
const timeout = 5_000

/** The keys that an identity provider publishes now. @throws Error, of which `reasonOf` says why */
export async function fetchKeys(url: string): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // Keys come from this address, and not from one that somebody names.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout),
  })
  if (response.status !== 200) throw new Error(`it answers ${response.status}`)
  return (await response.json()) as JSONWebKeySet
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
