import type { Moved } from '../storage/store.ts'

/**
 * Carries hints between the processes on one database. A hint may be lost, doubled or late: the log is the truth.
 * Another way to carry them is another implementation of this.
 */
export interface Bus extends AsyncDisposable {
  /** Begins to hear, in the background and for as long as connecting takes. */
  start(listener: BusListener): void

  /** Tells the other processes, soon and gathered. Never throws and never waits. */
  publish(moved: Moved): void
}

/** What a bus does with what it hears. */
export interface BusListener {
  moved(hint: Moved): void
  /** It hears again, or for the first time: hints from before then may have been lost. */
  resumed(): void
}
