import type { Results } from './api.ts'

/** The next event of a feed, without those of people, which the feed of a shared conversation has beside the log. */
export async function nextOfLog(results: Results): Promise<unknown> {
  for (;;) {
    const [event] = Object.values((await results.next())?.data ?? {}) as { __typename?: string }[]
    if (!/^(PresenceChanged|ReadMarkersChanged|TypingChanged)$/.test(event?.__typename ?? '')) return event
  }
}
