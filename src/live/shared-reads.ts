import { setImmediate as turn } from 'node:timers/promises'
import { AnswerBudget, type AnswerMemory } from '../storage/postgres/answer-budget.ts'

interface Shared<T> {
  readonly result: Promise<T>
  readonly budget: AnswerBudget
  holders: number
}

const bytesPerRead = 1024 * 1024

/**
 * One read for all feeds that ask the same in one turn of the event loop, as all watchers of a conversation do that hear
 * of its next message. A read begins only when its turn is over and nobody can join it any more: whoever heard of a
 * change before asking finds it in the answer.
 */
export class SharedReads {
  readonly #memory: AnswerMemory
  readonly #asked = new Map<string, Shared<unknown>>()

  constructor(memory: AnswerMemory) {
    this.#memory = memory
  }

  /** @param question tells reads that ask the same from others */
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

/** The shared reads of one feed whose rows it still holds. Their bytes count until the last of their holders is disposed. */
export class HeldReads implements Disposable {
  readonly #reads: SharedReads
  readonly #held: Shared<unknown>[] = []

  constructor(reads: SharedReads) {
    this.#reads = reads
  }

  /** Reads, or joins those who ask the same in this turn. What it answers belongs to all of them: it is not to be changed. */
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
