import type { Random } from '../support/random.ts'
import type { House } from './house.ts'
import type { Load } from './load.ts'

/** Something that goes wrong while people work. */
export interface Fault {
  readonly name: string
  /** How often the battery does it on each bus, and how often a run of all tests does. */
  readonly times: number
  readonly timesInShort: number
  /** The only bus that it is about. */
  readonly bus?: 'NATS'
  /** Why it cannot be here. */
  readonly missing?: string
  /**
   * Begins it and ends it. The people go on by themselves.
   * @throws when somebody is answered otherwise than it should be meanwhile
   */
  readonly happen: (house: House, load: Load, random: Random) => Promise<void>
}
