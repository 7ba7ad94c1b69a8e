/** Values that come by themselves, for one who takes them one by one: first all that came, then the end or the error. */
export class Inbox<Value> implements AsyncIterableIterator<Value> {
  readonly #onReturn: () => void
  #values: Value[] = []
  #end: { readonly error?: unknown } | null = null
  #waiting: (() => void)[] = []

  /** @param onReturn whoever took from it wants no more */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn
  }

  get size(): number {
    return this.#values.length
  }

  push(value: Value): void {
    if (this.#end !== null) return
    this.#values.push(value)
    this.#wake()
  }

  finish(): void {
    this.#end ??= {}
    this.#wake()
  }

  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  /** Settles when everything that came was taken, or nothing more will be. */
  async emptied(): Promise<void> {
    while (this.#values.length > 0) await this.#change()
  }

  /** Not a generator: one that waits for a promise cannot be ended from outside before that promise is settled. */
  async next(): Promise<IteratorResult<Value, undefined>> {
    while (this.#values.length === 0 && this.#end === null) await this.#change()
    const [value] = this.#values
    if (this.#values.length > 0) {
      this.#values.shift()
      if (this.#values.length === 0) this.#wake()
      return { done: false, value: value as Value }
    }
    const end = this.#end ?? {}
    // An error is told once.
    this.#end = {}
    if ('error' in end) throw end.error
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#values = []
    this.#end = {}
    this.#wake()
    this.#onReturn()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
