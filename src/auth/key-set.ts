import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import type { Logger } from 'pino'
import { unavailable } from '../errors.ts'
import { TokenBucket } from '../token-bucket.ts'
import { fetchKeys, reasonOf } from './fetch-keys.ts'

/** Keys that were asked for in this time are used without asking again, in milliseconds. */
const fresh = 10 * 60_000
/** So many fetches may follow each other at once, and then one in so many milliseconds. */
const burst = 5
const interval = 12_000

interface Keys {
  readonly find: JWTVerifyGetKey
  /** When they were asked for. */
  readonly at: number
  /** What was looked for in them after they came, and is not there. */
  readonly absent: Set<string>
}

/** Of the identity provider. Longest: its last keys are too old, or there have been none. */
type Provider = 'there' | 'away' | 'away too long'

/**
 * The keys that sign bearer tokens, as the identity provider publishes them.
 *
 * While the provider is away its last keys are used, up to `longest`. A token whose key is not among them may have a new
 * one, so the provider is asked; when it cannot be asked, nobody knows whether the token is good, and the caller is told
 * to try again. Tokens with invented keys could make the server ask without end, so fetches are limited.
 */
export class KeySet {
  readonly #url: string
  readonly #longest: number
  readonly #log: Logger
  readonly #now: () => number
  readonly #fetches: TokenBucket
  #keys: Keys | null = null
  /** Whether the keys came; it never fails. */
  #fetching: Promise<boolean> | null = null
  #provider: Provider = 'there'

  /** @param now milliseconds of a clock that never goes back */
  constructor(url: string, longest: number, log: Logger, now: () => number) {
    this.#url = url
    this.#longest = longest
    this.#log = log
    this.#now = now
    this.#fetches = new TokenBucket(1_000 / interval, burst, now)
  }

  /** For `jwtVerify`. @throws ApiError UNAVAILABLE; JWKSNoMatchingKey if the provider has no such key */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const cameAt = this.#now()
    const keys = await this.#present()
    const name = JSON.stringify([header.alg, header.kid])
    try {
      return await keys.find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (keys.at >= cameAt) keys.absent.add(name)
      if (keys.absent.has(name) && this.#now() - keys.at < interval) throw error
    }
    const renewed = (await this.#fetch()) ? this.#keys : null
    if (renewed === null) throw unavailable('The key of this token is not known yet; try again.')
    try {
      return await renewed.find(header, token)
    } catch (error) {
      renewed.absent.add(name)
      throw error
    }
  }

  async #present(): Promise<Keys> {
    if (this.#keys !== null && this.#age(this.#keys) < fresh) return this.#keys
    const fetching = this.#fetch()
    // While the provider is away nobody waits for it as long as the last keys may be used.
    if (this.#provider !== 'away') await fetching
    if (this.#keys !== null && this.#age(this.#keys) < this.#longest) return this.#keys
    this.#told('away too long')
    if (await fetching) return this.#present()
    throw unavailable('The keys of bearer tokens cannot be fetched at the moment; try again.')
  }

  #age(keys: Keys): number {
    return this.#now() - keys.at
  }

  /** Asks the provider, unless it was asked too often. Who comes while it is asked shares the answer. */
  #fetch(): Promise<boolean> {
    this.#fetching ??= this.#fetches.tryTake() ? this.#ask() : null
    return this.#fetching ?? Promise.resolve(false)
  }

  async #ask(): Promise<boolean> {
    const at = this.#now()
    try {
      const find = createLocalJWKSet(await fetchKeys(this.#url))
      this.#keys = { find, at, absent: new Set() }
      this.#told('there')
      return true
    } catch (error) {
      if (this.#provider === 'there') this.#told(this.#keys === null ? 'away too long' : 'away', reasonOf(error))
      return false
    } finally {
      this.#fetching = null
    }
  }

  /** One line of the log for each change. */
  #told(provider: Provider, reason?: string): void {
    if (this.#provider === provider) return
    this.#provider = provider
    const url = this.#url
    if (provider === 'there') this.#log.info({ url }, 'the keys of AUTH_JWKS_URL can be fetched again')
    else if (provider === 'away') {
      this.#log.warn(
        { url, reason },
        'the keys of AUTH_JWKS_URL cannot be fetched; the last ones are used for AUTH_KEYS_HOURS',
      )
    } else
      this.#log.error(
        { url, reason },
        'there are no keys of AUTH_JWKS_URL that may be used: bearer tokens are UNAVAILABLE',
      )
  }
}
