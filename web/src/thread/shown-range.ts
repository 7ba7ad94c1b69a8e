import type { ShownMessage } from '@colloquy/client/assistant-ui'
import { useEffect, useMemo, useState } from 'react'

/** What lies within so many pixels of the screen is in the page. */
export const nearness = 800
/** A message and the gap to the next one take about so many pixels at least. */
const leastHeight = 56
/** So many are shown at first, which fills a screen. */
const few = 12
/** So many come when one end comes near, in one frame, and so many may come live before others go. */
const step = 5

export interface ShownRange {
  readonly messages: readonly ShownMessage[]
  /** Whether there are others, read already, before and behind these. */
  readonly hasBefore: boolean
  readonly hasBehind: boolean
  readonly showBefore: () => void
  readonly showBehind: () => void
  /** The last ones, and then those that come. */
  readonly showLast: () => void
  readonly showAround: (id: string) => void
  /** What is read before these is not shown until it is asked for. */
  readonly pin: () => void
}

/** By the ids at both ends: what lies between them stays, whatever is read before or behind. Or by one message. */
interface Ends {
  /** null: only a few are shown yet. */
  readonly first: string | null
  /** null: up to the newest, and those that come. */
  readonly last: string | null
  /** What stands around this one, once it is read. */
  readonly middle?: string
}

const newest: Ends = { first: null, last: null }

/** Which of the messages that were read are in the page. */
export function useShownRange(all: readonly ShownMessage[]): ShownRange {
  const [ends, setEnds] = useState(newest)
  const most = mostShown()
  const { begin, end } = placesOf(all, ends, most)
  const messages = useMemo(() => (end - begin === all.length ? all : all.slice(begin, end)), [all, begin, end])
  const show = (from: number, to: number) =>
    setEnds({ first: all[Math.max(0, from)]?.id ?? null, last: to >= all.length ? null : (all[to - 1]?.id ?? null) })
  // What comes live goes behind those that are shown, and does not take their place.
  const isNew = ends === newest && all.length > 0
  useEffect(() => {
    if (isNew) show(begin, end)
  })
  return {
    messages,
    hasBefore: begin > 0,
    hasBehind: end < all.length,
    showBefore: () => show(begin - step, Math.min(end, Math.max(0, begin - step) + most)),
    showBehind: () => show(Math.max(begin, end + step - most), end + step),
    showLast: () => setEnds(newest),
    showAround: (middle) => setEnds({ ...newest, middle }),
    pin: () => show(begin, end),
  }
}

/** So many messages are in the page at once: those that can be near. Each change costs the more, the more of them there are. */
function mostShown(): number {
  return Math.ceil((window.innerHeight + 2 * nearness) / leastHeight)
}

/** @returns the place of the first one, and that behind the last one */
function placesOf(all: readonly ShownMessage[], { first, last, middle }: Ends, most: number) {
  const place = middle === undefined ? null : placeOf(all, middle)
  if (place !== null) {
    const half = Math.ceil(most / 2)
    return { begin: Math.max(0, place - half), end: Math.min(all.length, place + half) }
  }
  const lastPlace = placeOf(all, last)
  if (lastPlace !== null)
    return { begin: Math.max(placeOf(all, first) ?? 0, lastPlace + 1 - most, 0), end: lastPlace + 1 }
  const firstPlace = placeOf(all, first) ?? all.length - few
  return { begin: Math.max(firstPlace, all.length - most - step, 0), end: all.length }
}

function placeOf(all: readonly ShownMessage[], id: string | null): number | null {
  const place = id === null ? -1 : all.findIndex((message) => message.id === id)
  return place < 0 ? null : place
}
