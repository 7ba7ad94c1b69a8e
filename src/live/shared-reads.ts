import { setImmediate as turn } from 'node:timers/promises'
import { AnswerBudget, type AnswerMemory } from '../storage/postgres/answer-budget.ts'

interface Shared<T> {
  readonly result: Promise<T>
  readonly budget: AnswerBudget
  holders: number
}

const bytesPerRead = 1024 * 1024

/**
 * Makes one read for all feeds that ask the same question in one turn of the event loop, as all watchers of a
 * conversation do when they hear of its next message. The read begins when that turn is over; nobody can join it after
 * it has begun. So a feed that heard of a change before it asked finds the change in the answer.
 */
export class SharedReads {
  readonly #memory: AnswerMemory
  readonly #asked = new Map<string, Shared<unknown>>()

  constructor(memory: AnswerMemory) {
    this.#memory = memory
  }

  /** @param question equal for reads that ask the same, and for no others */
  join<T>(question: string, ask: (budget: AnswerBudget) => Promise<T>): Shared<T> {
    const asked = (this.#asked.get(question) as Shared<T> | undefined) ?? this.#begin(question, ask)
    asked.holders += 1
    return asked
  }

  #begin<T>(question: string, ask: (budget: AnswerBudget) => Promise<T>): Shared<T> {
    const budget = new AnswerBudget(this.#memory, bytesPerRead)
    const result = turn().then(() => {
      this.#asked.delete(question)
      return ask(budget)
    })
    const shared = { result, budget, holders: 0 }
    this.#asked.set(question, shared)
    return shared
  }
}

/**
 * The shared reads whose rows one feed still holds. The bytes of a read count until the last feed that holds it is
 * done.
 */
export class HeldReads implements Disposable {
  readonly #reads: SharedReads
  readonly #held: Shared<unknown>[] = []

  constructor(reads: SharedReads) {
    this.#reads = reads
  }

  /** Reads, or joins a read that asks the same in this turn. The answer belongs to all who asked: do not change it. */
  once<T>(question: string, ask: (budget: AnswerBudget) => Promise<T>): Promise<T> {
    const shared = this.#reads.join(question, ask)
    this.#held.push(shared)
    return shared.result
  }

  [Symbol.dispose](): void {
    for (const shared of this.#held.splice(0)) {
      shared.holders -= 1
      if (shared.holders === 0) shared.budget[Symbol.dispose]()
    }
  }
}
