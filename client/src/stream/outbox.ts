/** A piece of a message under its number, which is never given to another piece. */
export interface Chunk {
  readonly chunk: number
  readonly text: string
  /** undefined: none. */
  readonly data?: unknown
}

interface Written {
  text: string
  readonly data?: unknown
}

/** Longer texts go as several chunks. */
const longestChunk = 32_768

/** What was written to a message and is not said to be stored yet. Sizes are in characters, data as its JSON. */
export class Outbox {
  /** Has no number yet; texts that follow each other are one. */
  readonly #written: Written[] = []
  #writtenSize = 0
  /** In the order of their numbers, without gaps. */
  readonly #kept: Chunk[] = []
  #keptSize = 0
  /** The number of the first that is kept. */
  #stored = 0
  /** The number that the server expects. */
  #next = 0

  /** How many chunks there are, those included that others had sent. */
  get count(): number {
    return this.#stored + this.#kept.length
  }

  /** Of what was sent and is not said to be stored. */
  get keptSize(): number {
    return this.#keptSize
  }

  /** Of what the server has not accepted. */
  get unsent(): number {
    const sent = this.#kept.slice(this.#next - this.#stored)
    return sent.reduce((size, chunk) => size + sizeOf(chunk), this.#writtenSize)
  }

  /** Nothing is written or kept yet. @param next how many chunks are stored already */
  beginAt(next: number): void {
    this.#stored = next
    this.#next = next
  }

  /** @param given data; null is the same as absent */
  write(text: string, given?: unknown): void {
    const data = given ?? undefined
    const last = this.#written.at(-1)
    if (data !== undefined) this.#written.push({ text, data })
    else if (text === '') return
    else if (last !== undefined && last.data === undefined) last.text += text
    else this.#written.push({ text })
    this.#writtenSize += sizeOf({ text, data })
  }

  /** The chunk that the server expects; null: there is none. @param isWhole nothing more will be written */
  next(isWhole: boolean): Chunk | null {
    return this.#kept[this.#next - this.#stored] ?? this.#number(isWhole)
  }

  /** @param next the number that the server expects. @returns whether that can be: others may have written too */
  goTo(next: number): boolean {
    if (next < this.#stored || next > this.count) return false
    this.#next = next
    return true
  }

  /** @param count how many chunks the server has stored, at most as many as it expects no more */
  forget(count: number): void {
    while (this.#stored < Math.min(count, this.#next)) {
      const chunk = this.#kept.shift()
      if (chunk === undefined) return
      this.#keptSize -= sizeOf(chunk)
      this.#stored += 1
    }
  }

  /** Leaves out whatever the server has not accepted. */
  discard(): void {
    for (const chunk of this.#kept.splice(this.#next - this.#stored)) this.#keptSize -= sizeOf(chunk)
    this.#written.length = 0
    this.#writtenSize = 0
  }

  #number(isWhole: boolean): Chunk | null {
    const [first] = this.#written
    if (first === undefined) return null
    const text = first.data === undefined ? cut(first.text, isWhole || this.#written.length > 1) : first.text
    if (text === '' && first.data === undefined) return null
    if (text.length === first.text.length) this.#written.shift()
    else first.text = first.text.slice(text.length)
    const chunk = { chunk: this.count, text, data: first.data }
    this.#writtenSize -= sizeOf(chunk)
    this.#keptSize += sizeOf(chunk)
    this.#kept.push(chunk)
    return chunk
  }
}

/** As much as goes into one chunk, and no half of a surrogate pair whose other half may come. */
function cut(text: string, isWhole: boolean): string {
  const end = Math.min(text.length, longestChunk)
  const isHalf = /[\ud800-\udbff]/.test(text.charAt(end - 1))
  return isHalf && !(isWhole && end === text.length) ? text.slice(0, end - 1) : text.slice(0, end)
}

function sizeOf({ text, data }: { readonly text: string; readonly data?: unknown }): number {
  return text.length + (data === undefined ? 0 : JSON.stringify(data).length)
}
