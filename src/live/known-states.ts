/** How much of a list its reader knows. All times are moments in microseconds since 1970. */
export interface ListKnown {
  /** Every state from before this moment is known, or has been replaced by a later state. */
  readonly settled: number
  /** Conversations that were deleted before this moment are not told: the reader never knew them. */
  readonly deletedSince: number
  /** The marks of known states that are not from before `settled`, in the order in which they were told. */
  readonly marks: readonly string[]
}

/** A cursor holds so many marks. Of more states, those told first are told again to whoever goes on from the cursor. */
const marksInCursor = 100
/** A reader keeps so many states. It may tell again what it has forgotten. */
export const maxStates = 5_000

interface State {
  /** null: the state came with a cursor, which does not say the key. */
  readonly key: string | null
  readonly mark: string
  /** When the state came to be, or a later moment. */
  readonly at: number
}

/** The states of a list that a reader has told and that it may meet again, in the order in which it told them. */
export class KnownStates {
  #states: State[] = []
  /** By key, the last state of each conversation. An earlier state of it cannot come again. */
  readonly #present = new Map<string, State>()
  #hasForgotten = false

  /** Whether there were too many states to keep. */
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

  /** The last marks from this moment on, as many as a cursor holds. */
  lastMarksFrom(moment: number): string[] {
    const marks: string[] = []
    for (let index = this.#states.length - 1; index >= 0 && marks.length < marksInCursor; index--) {
      const state = this.#states[index] as State
      if (state.at >= moment && this.#isPresent(state)) marks.push(state.mark)
    }
    return marks.reverse()
  }

  /** Drops the states from before this moment, and the oldest ones where there are too many. */
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
