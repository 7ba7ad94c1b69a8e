export type LineState = 'connecting' | 'open' | 'closed'

/** Whether the server is reached, for those who show it and those who wait for it. */
export class Line {
  #state: LineState = 'connecting'
  readonly #listeners = new Set<() => void>()
  #wake: () => void = () => {}
  /** Told when the browser says that it has no network any more: a socket would notice much later. */
  onLost: () => void = () => {}

  readonly #over = new AbortController()

  constructor() {
    const { signal } = this.#over
    addEventListener('offline', () => this.onLost(), { signal })
    addEventListener('online', () => this.#wake(), { signal })
  }

  close(): void {
    this.#over.abort()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly state = (): LineState => this.#state

  become(state: LineState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }

  /** A pause before the next attempt; it is over when the browser has a network again. @param ms milliseconds */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
