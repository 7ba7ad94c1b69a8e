import type { AuthorKind } from '../../entities/message/message-enums.ts'

interface Typing {
  /** By `performance.now()`, in milliseconds. */
  readonly until: number
  readonly kind: AuthorKind
  /** The last seq of the conversation when the user typed. */
  readonly seq: number
}

/** More people than a conversation may have are not held, whatever comes over the bus. */
export const mostPeople = 1_100

/**
 * The people in one conversation, as this server knows: those who follow it here, those of whom other servers told, and
 * those who type. What answers a boolean says whether others see something new.
 */
export class ConversationPeople {
  /** By user: how many feeds of it are open on this server. */
  readonly #feeds = new Map<string, number>()
  /** By server, and then by user: until when that holds. */
  readonly #elsewhere = new Map<string, Map<string, number>>()
  readonly #typing = new Map<string, Typing>()
  /** By author: the seq of the last message that was seen here. */
  readonly #wrote = new Map<string, number>()

  /** Everybody who is here, by id. */
  get present(): string[] {
    const users = new Set(this.#feeds.keys())
    for (const others of this.#elsewhere.values()) for (const userId of others.keys()) users.add(userId)
    return [...users].sort()
  }

  get typing(): string[] {
    return [...this.#typing.keys()].sort()
  }

  /** Those who follow it on this server. */
  get own(): Iterable<string> {
    return this.#feeds.keys()
  }

  get isFollowed(): boolean {
    return this.#feeds.size > 0
  }

  /** A feed was opened on this server. */
  enters(userId: string): boolean {
    const feeds = this.#feeds.get(userId) ?? 0
    this.#feeds.set(userId, feeds + 1)
    return feeds === 0
  }

  /** A feed on this server is over. */
  leaves(userId: string): boolean {
    const feeds = this.#feeds.get(userId) ?? 0
    if (feeds > 1) this.#feeds.set(userId, feeds - 1)
    else this.#feeds.delete(userId)
    return feeds === 1
  }

  isOn(server: string, userId: string): boolean {
    const others = this.#elsewhere.get(server) ?? new Map<string, number>()
    const isNew = !others.has(userId)
    if (isNew && others.size >= mostPeople) return false
    others.set(userId, Number.POSITIVE_INFINITY)
    this.#elsewhere.set(server, others)
    return isNew
  }

  isGoneFrom(server: string, userId: string): boolean {
    return this.#elsewhere.get(server)?.delete(userId) ?? false
  }

  /** Nobody hears of that server any more. */
  loses(server: string): boolean {
    return this.#elsewhere.delete(server)
  }

  /** What a server told holds until then, unless it is told again. @param server absent: all of them */
  doubts(until: number, server?: string): void {
    for (const [name, others] of this.#elsewhere) {
      if (server !== undefined && name !== server) continue
      for (const [userId, before] of others) others.set(userId, Math.min(before, until))
    }
  }

  /** Whoever wrote since typed what it wrote. */
  types(userId: string, typing: Typing): boolean {
    if (typing.seq < (this.#wrote.get(authorOf(userId, typing.kind)) ?? 0)) return false
    const isNew = !this.#typing.has(userId)
    if (isNew && this.#typing.size >= mostPeople) return false
    this.#typing.set(userId, typing)
    return isNew
  }

  isStill(userId: string): boolean {
    return this.#typing.delete(userId)
  }

  wrote(userId: string, kind: AuthorKind, seq: number): boolean {
    const author = authorOf(userId, kind)
    this.#wrote.set(author, Math.max(seq, this.#wrote.get(author) ?? 0))
    const typing = this.#typing.get(userId)
    return typing !== undefined && typing.kind === kind && typing.seq < seq && this.#typing.delete(userId)
  }

  /** Forgets what holds no more. */
  expires(now: number): boolean {
    let isNew = false
    for (const others of this.#elsewhere.values()) {
      for (const [userId, until] of others) if (until <= now) isNew = others.delete(userId) || isNew
    }
    for (const [userId, { until }] of this.#typing) if (until <= now) isNew = this.#typing.delete(userId) || isNew
    return isNew
  }
}

/** A user, and an agent that writes for it, type apart. */
function authorOf(userId: string, kind: AuthorKind): string {
  return `${kind} ${userId}`
}
