/** Milliseconds between two changes of the line. */
const calm = 200

/** The most reasons that are counted apart. */
const mostReasons = 100

interface Counted {
  count: number
  /** Where it was first. */
  readonly first: string
}

/**
 * What the person at the terminal sees of an import: each fault, on a terminal one line that changes, and at the end how
 * much was stored and what was left out.
 */
export class Report {
  readonly #stream: NodeJS.WriteStream
  #shownAt = 0
  #conversations = 0
  #stored = 0
  #replayed = 0
  readonly #faults = new Map<string, Counted>()
  readonly #notes = new Map<string, Counted>()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  get hasFaults(): boolean {
    return this.#faults.size > 0
  }

  /** A conversation is stored; what is left out of it was told. */
  conversation(): void {
    this.#conversations += 1
    this.#show()
  }

  /** @param replayed for each message: whether an earlier import had stored it */
  stored(replayed: readonly boolean[]): void {
    for (const wasThere of replayed) {
      if (wasThere) this.#replayed += 1
      else this.#stored += 1
    }
    this.#show()
  }

  /** @param id of the conversation, if it is known */
  fault(place: string, id: string | null, sentence: string, reason: string): void {
    this.#clear()
    const named = id === null ? place : `${place} (${JSON.stringify(id)})`
    this.#stream.write(`${named}: ${sentence}\n`)
    add(this.#faults, reason, 1, place)
  }

  /** @param notes how often something was left out, or changed its form, without being faulty */
  note(notes: ReadonlyMap<string, number>, place: string): void {
    for (const [what, count] of notes) add(this.#notes, what, count, place)
  }

  /** The text that ends the import. */
  summary(): string {
    this.#clear()
    return [
      `Conversations          ${this.#conversations}`,
      `Messages stored        ${this.#stored}`,
      `Messages there before  ${this.#replayed}`,
      ...section('Left out with a fault', this.#faults),
      ...section('Left out or changed, without a fault', this.#notes),
    ].join('\n')
  }

  #show(): void {
    if (!this.#stream.isTTY || Date.now() - this.#shownAt < calm) return
    this.#shownAt = Date.now()
    this.#stream.write(`\r\x1b[K${this.#conversations} conversations, ${this.#stored + this.#replayed} messages`)
  }

  #clear(): void {
    if (this.#stream.isTTY && this.#shownAt > 0) this.#stream.write('\r\x1b[K')
  }
}

function add(counts: Map<string, Counted>, what: string, count: number, first: string): void {
  const key = counts.has(what) || counts.size < mostReasons ? what : 'others'
  const counted = counts.get(key)
  if (counted === undefined) counts.set(key, { count, first })
  else counted.count += count
}

function section(title: string, counts: ReadonlyMap<string, Counted>): string[] {
  if (counts.size === 0) return []
  return [`${title}:`, ...[...counts].map(([what, { count, first }]) => `  ${count} × ${what} (first: ${first})`)]
}
