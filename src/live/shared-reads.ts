import { setImmediate as turn } from 'node:timers/promises'
import { inOwnSpan } from '../observe/spans.ts'
import { AnswerBudget, type AnswerMemory } from '../storage/postgres/answer-budget.ts'

/** One who waits for a shared read. */
interface Taker {
  take(answer: unknown): void
  failed(error: unknown): void
}

interface Shared {
  readonly budget: AnswerBudget
  readonly takers: Taker[]
  /** The users whose feeds wait for it, where these say so. A user may be there several times. */
  readonly userIds: string[]
  holders: number
}

/** A read. @param userIds all whose feeds wait for it, where these say so */
type Ask<T> = (budget: AnswerBudget, userIds: readonly string[]) => Promise<T>

const bytesPerRead = 1024 * 1024

/**
 * Makes one read for all feeds that ask the same question in one turn of the event loop, as all watchers of a
 * conversation do when they hear of its next message. The read begins when that turn is over; nobody can join it after
 * it has begun. So a feed that heard of a change before it asked finds the change in the answer. All who asked are told
 * the answer in one sweep: a promise for each of them would cost more than what they then do.
 */
export class SharedReads {
  readonly #memory: AnswerMemory
  readonly #asked = new Map<string, Shared>()

  constructor(memory: AnswerMemory) {
    this.#memory = memory
  }

  /** @param question equal for reads that ask the same, and for no others */
  join(question: string, ask: Ask<unknown>, taker: Taker, userId?: string): Shared {
    const shared = this.#asked.get(question) ?? this.#begin(question, ask)
    shared.holders += 1
    shared.takers.push(taker)
    if (userId !== undefined) shared.userIds.push(userId)
    return shared
  }

  #begin(question: string, ask: Ask<unknown>): Shared {
    const budget = new AnswerBudget(this.#memory, bytesPerRead)
    const shared: Shared = { budget, takers: [], userIds: [], holders: 0 }
    this.#asked.set(question, shared)
    void turn().then(() => {
      this.#asked.delete(question)
      return inOwnSpan('feed', {}, () => readFor(shared, ask))
    })
    return shared
  }
}

async function readFor({ budget, takers, userIds }: Shared, ask: Ask<unknown>): Promise<void> {
  let answer: unknown
  try {
    answer = await ask(budget, userIds)
  } catch (error) {
    for (const taker of takers) taker.failed(error)
    return
  }
  for (const taker of takers) giveTo(taker, answer)
}

/** Whoever fails while it takes the answer fails alone. */
function giveTo(taker: Taker, answer: unknown): void {
  try {
    taker.take(answer)
  } catch (error) {
    taker.failed(error)
  }
}

/**
 * The shared reads whose rows one feed still holds. The bytes of a read count until the last feed that holds it is
 * done.
 */
export class HeldReads implements Disposable {
  readonly #reads: SharedReads
  readonly #held: Shared[] = []
  /** Is told of a read that failed. */
  readonly failed: (error: unknown) => void

  constructor(reads: SharedReads, failed: (error: unknown) => void) {
    this.#reads = reads
    this.failed = failed
  }

  /**
   * Reads, or joins a read that asks the same in this turn. The answer belongs to all who asked: do not change it. If
   * the read fails, or `take` does, `failed` is told.
   *
   * @param userId who asks, where the read depends on all who do
   */
  once<T>(question: string, ask: Ask<T>, take: (answer: T) => void, userId?: string): void {
    const { failed } = this
    this.#held.push(this.#reads.join(question, ask, { take: take as (answer: unknown) => void, failed }, userId))
  }

  [Symbol.dispose](): void {
    for (const shared of this.#held.splice(0)) {
      shared.holders -= 1
      if (shared.holders === 0) shared.budget[Symbol.dispose]()
    }
  }
}
