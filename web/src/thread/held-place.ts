import { type RefObject, useLayoutEffect, useRef } from 'react'

interface Held {
  readonly message: HTMLElement
  readonly top: number
  readonly scrollTop: number
  readonly isFirst: boolean
  readonly id: string
  /** What has the focus may go with its message. */
  readonly hasFocus: boolean
}

/**
 * Holds what one reads where it is on the screen while messages come and go at one end.
 *
 * @param ids of the messages in the page
 * @returns is called with that end before they do
 */
export function useHeldPlace(viewport: HTMLElement, ids: readonly string[]): (end: 'first' | 'last') => void {
  const held = useRef<Held | null>(null)
  useLayoutEffect(() => {
    if (held.current === null || (held.current.isFirst ? ids[0] : ids.at(-1)) === held.current.id) return
    putBack(viewport, held.current)
    held.current = null
    requestAnimationFrame(() => {
      // More may be on its way already.
      if (held.current !== null) return
      viewport.style.overflowAnchor = ''
      viewport.querySelector('.messages')?.setAttribute('aria-live', 'polite')
    })
  }, [viewport, ids])
  return (end) => {
    hold(held, viewport, end === 'first', (end === 'first' ? ids[0] : ids.at(-1)) ?? '')
  }
}

function hold(held: RefObject<Held | null>, viewport: HTMLElement, isFirst: boolean, id: string): void {
  const message = viewport.querySelector<HTMLElement>(`[data-message-id="${CSS.escape(id)}"]`)
  if (message === null) return
  // Some browsers hold the place themselves, except at the very top.
  viewport.style.overflowAnchor = 'none'
  // Nobody wants to hear what was said long ago because it is in the page again.
  viewport.querySelector('.messages')?.setAttribute('aria-live', 'off')
  const hasFocus = viewport.contains(document.activeElement)
  held.current = { message, top: message.offsetTop, scrollTop: viewport.scrollTop, isFirst, id, hasFocus }
}

function putBack(viewport: HTMLElement, { message, top, scrollTop, hasFocus }: Held): void {
  // Where less is in the page than before, the browser has scrolled up to the end of it.
  const isCut = scrollTop > viewport.scrollHeight - viewport.clientHeight
  viewport.scrollTop = (isCut ? scrollTop : viewport.scrollTop) + message.offsetTop - top
  if (hasFocus && !viewport.contains(document.activeElement)) viewport.focus({ preventScroll: true })
}
