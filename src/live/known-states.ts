/** How much of a list is known; all times are moments. */
export interface ListKnown {
  /** Every state from before it is known, or was followed by another. */
  readonly settled: number
  /** Whoever knows this much never knew what was deleted before it. */
  readonly deletedSince: number
  /** Of states from no earlier than `settled` that are known as well, in the order in which they were told. */
  readonly marks: readonly string[]
}

/** A cursor holds so many marks: of more, those told first are told again to whoever goes on from it. */
const marksInCursor = 100
/** A reader keeps so many; what it forgets it may tell again. */
export const maxStates = 5_000

interface State {
  /** null: it came with a cursor, which does not say. */
  readonly key: string | null
  readonly mark: string
  /** When it came to be, or a moment that is later. */
  readonly at: number
}

/** The states of a list that a reader has told and that it may meet again, in the order in which it told them. */
export class KnownStates {
  #states: State[] = []
  /** By key, for the state that a conversation had before does not come again. */
  readonly #present = new Map<string, State>()
  #hasForgotten = false

  /** Whether there were too many to keep all of them. */
  get hasForgotten(): boolean {
    return this.#hasForgotten
  }

  add(state: State): void {
    this.#states.push(state)
    if (state.key !== null) this.#present.set(state.key, state)
  }

  /** The marks of all states from this moment on. */
  marksFrom(moment: number): string[] {
    return this.#states.filter((state) => state.at >= moment && this.#isPresent(state)).map(({ mark }) => mark)
  }

  /** Of the marks from this moment on the last, as many as a cursor holds. */
  lastMarksFrom(moment: number): string[] {
    const marks: string[] = []
    for (let index = this.#states.length - 1; index >= 0 && marks.length < marksInCursor; index--) {
      const state = this.#states[index] as State
      if (state.at >= moment && this.#isPresent(state)) marks.push(state.mark)
    }
    return marks.reverse()
  }

  /** Drops what is from before this moment, and what is too much. */
  forgetBefore(moment: number): void {
    const kept = this.#states.filter((state) => state.at >= moment && this.#isPresent(state))
    this.#hasForgotten = kept.length > maxStates
    this.#states = kept.slice(-maxStates)
    this.#present.clear()
    for (const state of this.#states) if (state.key !== null) this.#present.set(state.key, state)
  }

  #isPresent(state: State): boolean {
    return state.key === null || this.#present.get(state.key) === state
  }
}
