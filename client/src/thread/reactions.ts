import type { MessageReactions } from '../schema/types.ts'
import type { ThreadMessage } from './shown-message.ts'

/** What the viewer wants of an emoji on a message, as long as the server has not answered. */
interface Wish {
  readonly messageId: string
  readonly emoji: string
  readonly isOn: boolean
}

/** The reactions of the viewer that are on their way to the server, and shown as if they were there. */
export class Reactions {
  readonly #wishes = new Set<Wish>()
  /** They go one after the other, so that the last one holds. */
  #last: Promise<unknown> = Promise.resolve()

  /**
   * @param change puts what is shown of the message anew
   * @param ask sends it, and takes the answer
   * @throws what `ask` does; what was shown is taken back then
   */
  async want(wish: Wish, change: (update: Update) => void, ask: () => Promise<void>): Promise<void> {
    this.#wishes.add(wish)
    change((message) => this.over(message))
    const asking = this.#last.then(ask)
    this.#last = asking.catch(() => {})
    try {
      await asking
      this.#wishes.delete(wish)
    } catch (error) {
      this.#wishes.delete(wish)
      change((message) => this.over(withReaction(message, wish.emoji, !wish.isOn)))
      throw error
    }
  }

  /** A message as the server tells it, with what is on its way. */
  over(message: ThreadMessage): ThreadMessage {
    let shown = message
    for (const { messageId, emoji, isOn } of this.#wishes) {
      if (messageId === message.id) shown = withReaction(shown, emoji, isOn)
    }
    return shown
  }
}

export type Update = (message: ThreadMessage) => ThreadMessage

/** With the viewer's reaction, or without it. It is the same message if it is so already. */
function withReaction(message: ThreadMessage, emoji: string, isOn: boolean): ThreadMessage {
  const before = message.reactions ?? []
  const known = before.find((one) => one.emoji === emoji)
  if ((known?.viewerReacted ?? false) === isOn) return message
  const count = (known?.count ?? 0) + (isOn ? 1 : -1)
  const changed: MessageReactions = { emoji, count, viewerReacted: isOn }
  const reactions = known === undefined ? [...before, changed] : before.map((one) => (one === known ? changed : one))
  return { ...message, reactions: reactions.filter((one) => one.count > 0) }
}

/** Those of all the messages of a turn, added up. */
export function sumReactions(turn: readonly ThreadMessage[]): readonly MessageReactions[] {
  const sums = new Map<string, MessageReactions>()
  for (const { emoji, count, viewerReacted } of turn.flatMap(({ reactions }) => reactions ?? [])) {
    const sum = sums.get(emoji)
    sums.set(emoji, {
      emoji,
      count: count + (sum?.count ?? 0),
      viewerReacted: viewerReacted || sum?.viewerReacted === true,
    })
  }
  return [...sums.values()]
}
