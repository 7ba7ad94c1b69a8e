import { storable } from './storable.ts'

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
  /** The first half of a surrogate pair, which the next text may go on with; or nothing. */
  #half = ''
  #isAltered = false

  /** How many chunks there are, those included that others had sent. */
  get count(): number {
    return this.#stored + this.#kept.length
  }

  /** Whether the texts had anything that no server stores: it went as U+FFFD. */
  get isAltered(): boolean {
    return this.#isAltered
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
  write(piece: string, given?: unknown): void {
    const data = given ?? undefined
    const [half = ''] = /[\ud800-\udbff]$/.exec(this.#half + piece) ?? []
    const whole = (this.#half + piece).slice(0, -half.length || undefined)
    const text = storable(whole)
    this.#isAltered ||= text !== whole
    this.#half = half
    const last = this.#written.at(-1)
    if (data !== undefined) this.#written.push({ text, data })
    else if (text === '') return
    else if (last !== undefined && last.data === undefined) last.text += text
    else this.#written.push({ text })
    this.#writtenSize += sizeOf({ text, data })
  }

  /** The other half of a pair does not come any more. */
  finish(): void {
    const half = this.#half
    this.#half = ''
    if (half === '') return
    this.write(storable(half))
    this.#isAltered = true
  }

  /** The chunk that the server expects; null: there is none. */
  next(): Chunk | null {
    return this.#kept[this.#next - this.#stored] ?? this.#number()
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
    this.#half = ''
  }

  #number(): Chunk | null {
    const [first] = this.#written
    if (first === undefined) return null
    const text = first.data === undefined ? cut(first.text) : first.text
    if (text.length === first.text.length) this.#written.shift()
    else first.text = first.text.slice(text.length)
    const chunk = { chunk: this.count, text, data: first.data }
    this.#writtenSize -= sizeOf(chunk)
    this.#keptSize += sizeOf(chunk)
    this.#kept.push(chunk)
    return chunk
  }
}

/** As much as goes into one chunk, and no half of a surrogate pair. */
function cut(text: string): string {
  const end = Math.min(text.length, longestChunk)
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? text.slice(0, end - 1) : text.slice(0, end)
}

function sizeOf({ text, data }: { readonly text: string; readonly data?: unknown }): number {
  return text.length + (data === undefined ? 0 : JSON.stringify(data).length)
}
