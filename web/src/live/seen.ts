import type { Thread } from '@colloquy/client/assistant-ui'
import { isLookedAt } from '../app/focus.ts'

/** Tells a thread what was read: messages whose end the window shows while it has the focus. */
export class Seen {
  readonly #thread: Thread
  readonly #over = new AbortController()
  readonly #ids = new Map<Element, string>()
  readonly #visible = new Set<Element>()
  readonly #observer: IntersectionObserver

  constructor(thread: Thread) {
    this.#thread = thread
    this.#observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.#visible.add(target)
        else this.#visible.delete(target)
      }
      this.#tell()
    })
    const { signal } = this.#over
    addEventListener('focus', this.#tell, { signal })
    document.addEventListener('visibilitychange', this.#tell, { signal })
    // An answer grows by messages while its end stays in sight.
    const leave = thread.subscribe(this.#tell)
    signal.addEventListener('abort', leave)
  }

  /** @param end what stands at the end of the message @returns ends it */
  watch(end: Element, messageId: string): () => void {
    this.#ids.set(end, messageId)
    this.#observer.observe(end)
    return () => {
      this.#observer.unobserve(end)
      this.#ids.delete(end)
      this.#visible.delete(end)
    }
  }

  close(): void {
    this.#observer.disconnect()
    this.#over.abort()
  }

  readonly #tell = (): void => {
    if (!isLookedAt()) return
    for (const end of this.#visible) this.#thread.read(this.#ids.get(end) ?? '')
  }
}
