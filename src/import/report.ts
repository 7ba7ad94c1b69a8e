import { Progress } from '../progress.ts'

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
  readonly #progress: Progress
  /** How much of the file is read, from 0 to 1. */
  #part = 0
  #conversations = 0
  #stored = 0
  #replayed = 0
  readonly #faults = new Map<string, Counted>()
  readonly #notes = new Map<string, Counted>()

  /** @param now milliseconds of a clock that never goes back */
  constructor(stream: NodeJS.WriteStream, now = () => performance.now()) {
    this.#stream = stream
    this.#progress = new Progress(stream, now)
  }

  get hasFaults(): boolean {
    return this.#faults.size > 0
  }

  /** @param part how much of the file is read, from 0 to 1 */
  read(part: number): void {
    this.#part = part
    this.#show()
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
    this.#progress.clear()
    const named = id === null ? place : `${place} (${JSON.stringify(id)})`
    this.#stream.write(`${named}: ${sentence}\n`)
    add(this.#faults, reason, 1, place)
  }

  /** @param notes how often something was left out, or changed its form, without being faulty */
  note(notes: ReadonlyMap<string, number>, place: string): void {
    for (const [what, count] of notes) add(this.#notes, what, count, place)
  }

  /** What was stored, and what was left out, for programs. */
  counts() {
    this.#progress.clear()
    const list = (counts: ReadonlyMap<string, Counted>) => [...counts].map(([what, counted]) => ({ what, ...counted }))
    return {
      conversations: this.#conversations,
      stored: this.#stored,
      replayed: this.#replayed,
      faults: list(this.#faults),
      notes: list(this.#notes),
    }
  }

  /** The text that ends the import. */
  summary(): string {
    this.#progress.clear()
    return [
      `Conversations          ${this.#conversations}`,
      `Messages stored        ${this.#stored}`,
      `Messages there before  ${this.#replayed}`,
      ...section('Left out with a fault', this.#faults),
      ...section('Left out or changed, without a fault', this.#notes),
    ].join('\n')
  }

  #show(): void {
    const messages = this.#stored + this.#replayed
    this.#progress.show(`${this.#conversations} conversations`, messages, 'messages', this.#part)
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
