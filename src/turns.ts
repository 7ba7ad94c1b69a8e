import { setImmediate as nextTurn } from 'node:timers/promises'

/** Work that yields where everybody else may have a turn of the event loop. */
export type Work<Result> = Generator<void, Result>

export function atOnce<Result>(work: Work<Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

export async function inTurns<Result>(work: Work<Result>): Promise<Result> {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    await nextTurn()
  }
}
