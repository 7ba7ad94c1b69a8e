import type { Conversation } from '../../entities/conversation.ts'
import type { TokenEncoding } from '../../entities/window-enums.ts'
import type { TokenCounter } from '../../tokens/token-counter.ts'
import type { Counted, Spoken } from '../../window/items/spoken.ts'
import { authorPrefix } from '../../window/rules/authors.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { byViewer, statementFor } from '../conversation/history-part.ts'
import { queryKey } from '../postgres/statement.ts'
import type { WindowReader } from './window-reader.ts'

/**
 * Whether several users wrote the messages of the user in a conversation. One statement.
 *
 * @param writer who writes the next one; null: nobody
 */
export async function hasSeveralAuthors(
  { store, userId, budget }: WindowReader,
  { key, epoch, userId: owner }: Conversation,
  writer: string | null,
): Promise<boolean> {
  const statement = statementFor(select, userId, owner)
  const [row] = await queryKey(store.lone, statement, key, [userId, epoch, writer], budget)
  return row?.[0] === true
}

const isOfUser = (message: string) =>
  `${message}.conversation_key = $1 and ${message}.role = 'USER' and ${message}.deleted_at is null`

/** It reads the log only up to the first message of another author than the first one. */
const select = byViewer({
  name: 'window-authors',
  kind: 'key',
  text: `
    select exists (
      select from message m where ${isOfUser('m')} and coalesce(m.author_id, c.user_id) <> first.author
    )
    from conversation c
    cross join lateral (
      select coalesce($4::text, (
        select coalesce(f.author_id, c.user_id) from message f where ${isOfUser('f')} order by f.seq limit 1
      )) as author offset 0
    ) first
    where ${reachable('c')}`,
})

/** Adds their authors to messages of the user, with the tokens that each name takes. */
export class WindowAuthors {
  readonly #counter: TokenCounter
  readonly #encoding: TokenEncoding
  readonly #tokens = new Map<string, number>()

  constructor(counter: TokenCounter, encoding: TokenEncoding) {
    this.#counter = counter
    this.#encoding = encoding
  }

  /** @param authorOf the user who wrote a message. @throws ApiError UNAVAILABLE */
  async addTo<M extends Spoken>(
    messages: readonly Counted<M>[],
    authorOf: (message: M) => string,
  ): Promise<Counted<M>[]> {
    const names = messages.map(({ message }) => (message.role === 'USER' ? authorOf(message) : null))
    const fresh = [...new Set(names)].filter((name) => name !== null && !this.#tokens.has(name)) as string[]
    const counts = await this.#counter.count(this.#encoding, fresh.map(authorPrefix))
    for (const [n, name] of fresh.entries()) this.#tokens.set(name, counts[n] ?? 0)
    return messages.map((counted, n) => {
      const name = names[n] ?? null
      return name === null ? counted : { ...counted, author: { name, tokens: this.#tokens.get(name) ?? 0 } }
    })
  }
}
