import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Fact, QuotaExceeded, type QuotaName } from '../../facts.ts'

/**
 * What each user may have; null: there is no such quota. A write that takes of several takes in this order, so that no two
 * wait for one another.
 */
export type Quotas = Readonly<Record<QuotaName, Quota | null>>

/** Measures how much a user has, and how many milliseconds PostgreSQL took for that. */
export type Measure = (userId: string) => Promise<{ readonly found: number; readonly tookMs: number }>

/** What a write may take of a quota. */
export interface Room {
  /** Whether all that the write takes at most is set aside for it. If not, the write has to call `require`. */
  readonly isWhole: boolean
  /**
   * To be called before anything is stored. Less than nothing makes room, and is never refused.
   *
   * @throws QuotaExceeded, for `within` to catch
   */
  require(needed: number): void
  /** To be called by a write that knows only at its end what it took. @param isExact whether it may have taken less */
  use(taken: number, isExact?: boolean): void
}

/** With such rests, the looks at one user take a hundredth of the time of one connection. */
const restFactor = 100
const leastRestMs = 5_000
const defaults = {
  /** How long a write waits for a look. Then what is known decides: of a user whose look is the first, that is nothing. */
  patienceMs: 2_000,
  /** A user takes some hundred bytes here. Whoever wrote longest ago is forgotten first. */
  mostUsers: 30_000,
}

/** How much one user has, as far as this process knows. */
interface Usage {
  readonly userId: string
  /** What the last look found; null: nobody has looked. */
  found: number | null
  /** What this process has stored since that look began. */
  stored: number
  /** What is set aside for writes under way. */
  pending: number
  /** When the last look ended. */
  lookedAt: number
  tookMs: number
  /** false: the user may have less than is known, because of a deletion, or of a write that met a look. */
  isExact: boolean
  looking: Promise<void> | null
  /** A look that begins when no write is under way; new writes wait for it. */
  settling: Promise<void> | null
  /** Settles when no write is under way any more. */
  rest: PromiseWithResolvers<void> | null
}

/**
 * How much each user may have of something. No column holds what a user has: a look measures it now and then, and what
 * this process stores is added in between. What other servers store between two looks is not known here.
 *
 *     a write ──▶ room is set aside ──▶ it is stored ──▶ what it took is counted
 *                   └── no room ──▶ a fresh look ── no room ──▶ refused
 *                                     └── room ──▶ the write runs again
 *
 * Only what a fresh look found refuses a write. Such a look begins when no write of the user is under way, and all writes
 * that are to be refused share it. It stays fresh for a hundred times what it took, so that a flood of refusals does not
 * look all the time; but once something of the user's is deleted here, the next refusal looks again.
 *
 * A look that fails refuses nobody.
 */
export class Quota {
  readonly #name: QuotaName
  readonly #limit: number
  readonly #measure: Measure
  readonly #log: Logger
  readonly #patienceMs: number
  readonly #mostUsers: number
  /** Whoever wrote last is at the end. */
  readonly #users = new Map<string, Usage>()

  constructor(name: QuotaName, limit: number, measure: Measure, log: Logger, options: Partial<typeof defaults> = {}) {
    const { patienceMs, mostUsers } = { ...defaults, ...options }
    this.#name = name
    this.#limit = limit
    this.#measure = measure
    this.#log = log
    this.#patienceMs = patienceMs
    this.#mostUsers = mostUsers
  }

  /** How many users are remembered. */
  get size(): number {
    return this.#users.size
  }

  /**
   * Runs a write for which there is room. The write stores nothing when it throws, and may run a second time.
   *
   * @param most what it takes at most; 0 if it knows that only when it calls `require`
   * @throws QuotaExceeded, and what the write throws
   */
  async within<T>(userId: string, most: number, write: (room: Room) => Promise<T>): Promise<T> {
    const usage = this.#usageOf(userId)
    while (usage.settling !== null || usage.found === null) await this.#settle(usage)
    const restMs = Math.max(leastRestMs, restFactor * usage.tookMs)
    if (performance.now() - usage.lookedAt > restMs) void this.#look(usage)
    const first = await this.#run(usage, most, write)
    if ('result' in first) return first.result
    await this.#settle(usage)
    if (first.lacks > this.#leftOf(usage)) throw this.#refusal(usage)
    const second = await this.#run(usage, first.lacks, write)
    if ('result' in second) return second.result
    throw this.#refusal(usage)
  }

  /** Counts what was stored and is never refused. */
  add(userId: string, taken: number): void {
    const usage = this.#users.get(userId)
    if (usage !== undefined) count(usage, taken)
  }

  /** To be called when the user may have less than before. */
  free(userId: string): void {
    const usage = this.#users.get(userId)
    if (usage !== undefined) usage.isExact = false
  }

  #usageOf(userId: string): Usage {
    const usage = this.#users.get(userId) ?? newUsage(userId)
    this.#users.delete(userId)
    this.#users.set(userId, usage)
    const [oldest] = this.#users.keys()
    if (this.#users.size > this.#mostUsers && oldest !== undefined) this.#users.delete(oldest)
    return usage
  }

  #leftOf(usage: Usage): number {
    return this.#limit - usedOf(usage)
  }

  #refusal(usage: Usage): QuotaExceeded {
    return new QuotaExceeded(this.#name, this.#limit, usedOf(usage))
  }

  /** Runs a write with the room that is known to be left. @returns what it lacks, if it asked for more than that */
  async #run<T>(
    usage: Usage,
    most: number,
    write: (room: Room) => Promise<T>,
  ): Promise<{ readonly result: T } | { readonly lacks: number }> {
    let aside = Math.min(most, Math.max(0, this.#leftOf(usage)))
    let used = 0
    let lacks = null as number | null
    usage.pending += aside
    const room: Room = {
      isWhole: aside === most,
      require: (needed) => {
        const more = Math.max(0, needed - aside)
        if (more > 0 && more > this.#leftOf(usage)) {
          lacks = needed
          throw this.#refusal(usage)
        }
        usage.pending += more
        aside += more
        used = needed
      },
      use: (taken, isExact = true) => {
        used = taken
        usage.isExact &&= isExact
      },
    }
    try {
      return { result: await write(room) }
    } catch (error) {
      // Nobody knows what any other error has left behind: a connection may be lost while it commits.
      used = error instanceof Fact ? 0 : aside
      if (used > 0) usage.isExact = false
      if (lacks !== null && error instanceof QuotaExceeded) return { lacks }
      throw error
    } finally {
      usage.pending -= aside
      count(usage, used)
      if (usage.pending === 0) {
        usage.rest?.resolve()
        usage.rest = null
      }
    }
  }

  #settle(usage: Usage): Promise<void> {
    usage.settling ??= withPatience(this.#lookAtRest(usage), this.#patienceMs).then(() => {
      usage.found ??= 0
      usage.settling = null
    })
    return usage.settling
  }

  async #lookAtRest(usage: Usage): Promise<void> {
    await usage.looking
    if (usage.pending > 0) {
      usage.rest ??= Promise.withResolvers()
      await usage.rest.promise
    }
    const isFresh = usage.isExact && performance.now() - usage.lookedAt <= restFactor * usage.tookMs
    if (!isFresh) await this.#look(usage)
  }

  /** Never throws. */
  #look(usage: Usage): Promise<void> {
    usage.looking ??= this.#lookNow(usage).finally(() => {
      usage.looking = null
    })
    return usage.looking
  }

  async #lookNow(usage: Usage): Promise<void> {
    const began = performance.now()
    const { stored } = usage
    // What is under way now may be found, and be counted as well.
    usage.isExact = usage.pending === 0
    try {
      const { found, tookMs } = await this.#measure(usage.userId)
      usage.found = found
      usage.tookMs = tookMs
    } catch (error) {
      this.#log.warn({ err: error, quota: this.#name, user: usage.userId }, 'could not measure what a user has')
      usage.found = 0
      usage.tookMs = performance.now() - began
    }
    usage.stored -= stored
    usage.lookedAt = performance.now()
  }
}

/** Waits for a look that never throws, but not for ever. */
async function withPatience(look: Promise<void>, patienceMs: number): Promise<void> {
  const isOver = new AbortController()
  await Promise.race([look, delay(patienceMs, undefined, { signal: isOver.signal }).catch(() => {})])
  isOver.abort()
}

/** Runs a write within a quota, if there is one. */
export function within<T>(
  quota: Quota | null,
  userId: string,
  most: number,
  write: (room: Room) => Promise<T>,
): Promise<T> {
  return quota === null ? write(unlimited) : quota.within(userId, most, write)
}

const unlimited: Room = { isWhole: true, require: () => {}, use: () => {} }

/** To be called when something of a user's was deleted, or has ended. */
export function free({ conversations, bytes, streams }: Quotas, userId: string): void {
  conversations?.free(userId)
  bytes?.free(userId)
  streams?.free(userId)
}

function newUsage(userId: string): Usage {
  return {
    userId,
    found: null,
    stored: 0,
    pending: 0,
    lookedAt: 0,
    tookMs: 0,
    isExact: true,
    looking: null,
    settling: null,
    rest: null,
  }
}

function usedOf({ found, stored, pending }: Usage): number {
  return (found ?? 0) + stored + pending
}

function count(usage: Usage, taken: number): void {
  usage.stored += taken
  // The look may have found it too.
  if (taken > 0 && usage.looking !== null) usage.isExact = false
}
