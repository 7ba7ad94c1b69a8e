import type { Rate } from '../../config.ts'
import { type ApiError, rateLimited } from '../../errors.ts'
import { TokenBucket } from '../../token-bucket.ts'

/** What an attempt costs whose caller is not known: by default an address has 50 in a second, and 1,000 after a rest. */
const unknownPrice = 100

/** Milliseconds from one line of the log about refusals of a payer to the next. */
const tellMs = 1_000

/** If more names than these come in one period, the older ones are forgotten early. A name takes about 300 bytes. */
const mostNames = 100_000

interface Account {
  readonly bucket: TokenBucket
  /** How many refusals the log has no line of. */
  untold: number
  toldAt: number
}

/**
 * How much each caller has used of its rate, in this process. Whoever owes nothing may begin anything, and then owes what
 * is missing; whoever owes is refused. So an operation that costs more than a burst is possible after a rest.
 *
 * Nobody owes much more than a burst and one operation. So a bucket that nobody took from for one period is full, and as
 * good as none: only the buckets of the last two periods are kept.
 */
export class Rates {
  readonly #rate: Rate
  readonly #mostNames: number
  readonly #periodMs: number
  #recent = new Map<string, Account>()
  #older = new Map<string, Account>()
  #since = performance.now()

  /** @param mostCost what one operation may cost */
  constructor(rate: Rate, mostCost: number, names = mostNames) {
    this.#rate = rate
    this.#mostNames = names
    this.#periodMs = ((2 * rate.burst + 2 * mostCost) / rate.perSecond) * 1000
  }

  /** How many names are kept. */
  get size(): number {
    return this.#recent.size + this.#older.size
  }

  /** @throws ApiError RATE_LIMITED if this payer owes anything */
  require(payer: string): void {
    const { wait } = this.#accountOf(payer).bucket
    if (wait > 0) throw refusal('This user', wait)
  }

  /**
   * Takes what an operation costs, or an event of a subscription, which is not refused. Who owes a burst owes no more:
   * a busy subscription delays what its user begins, and does not lock the user out.
   */
  take(payer: string, cost: number): void {
    const { bucket } = this.#accountOf(payer)
    if (bucket.owed < this.#rate.burst) bucket.take(cost)
  }

  /** Takes an attempt of a caller who is not known. @throws ApiError RATE_LIMITED if this address owes anything */
  attempt(address: string): void {
    const { bucket } = this.#accountOf(unknown(address))
    const { wait } = bucket
    if (wait > 0) throw refusal('This address', wait)
    bucket.take(unknownPrice)
  }

  /** Of how many refusals of this payer the log is to have a line now; 0: it had one within the last second. */
  countRefusal(payer: string): number {
    const account = this.#accountOf(payer)
    account.untold += 1
    const now = performance.now()
    if (now - account.toldAt < tellMs) return 0
    const { untold } = account
    Object.assign(account, { untold: 0, toldAt: now })
    return untold
  }

  /** The same for callers of an address who are not known. */
  countRefusalAt(address: string): number {
    return this.countRefusal(unknown(address))
  }

  #accountOf(name: string): Account {
    const known = this.#recent.get(name)
    if (known !== undefined) return known
    const now = performance.now()
    if (now - this.#since > this.#periodMs || this.#recent.size >= this.#mostNames) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#since = now
    }
    const account = this.#older.get(name) ?? {
      bucket: new TokenBucket(this.#rate.perSecond, this.#rate.burst),
      untold: 0,
      toldAt: Number.NEGATIVE_INFINITY,
    }
    this.#older.delete(name)
    this.#recent.set(name, account)
    return account
  }
}

/** No payer has such a name, because NUL is in no id of a user. */
function unknown(address: string): string {
  return `\0${address}`
}

function refusal(whose: string, wait: number): ApiError {
  return rateLimited(whose, Math.ceil(wait / 1000))
}
