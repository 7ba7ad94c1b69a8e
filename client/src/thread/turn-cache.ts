import type { Message } from '../schema/types.ts'
import {
  type RepliedMessage,
  type ShownMessage,
  type ShownState,
  shownId,
  showReply,
  showTurn,
  type ThreadMessage,
  turnsOf,
} from './shown-message.ts'
import { partsOf } from './shown-parts.ts'
import type { UnsentMessage } from './unsent.ts'

/** The turns as they are shown: the same object until something of it has changed, so that nothing else is painted. */
export class TurnCache {
  readonly #shown = new Map<string, ShownTurn>()
  readonly #unsent = new WeakMap<UnsentMessage, ShownMessage>()

  /** @param viewer a `userId`; null: it is not known */
  show(path: readonly ThreadMessage[], viewer: string | null): ShownMessage[] {
    return turnsOf(path).map((turn, index, turns) => {
      const id = shownId(turn[0] as ThreadMessage)
      const isLast = index === turns.length - 1
      const known = this.#shown.get(id)
      // Whether something follows it matters to calls alone.
      const isSame = known?.isLast === isLast || turn.every(({ toolCalls }) => toolCalls.length === 0)
      if (known !== undefined && isSame && isSameTurn(known.turn, turn)) return known.shown
      const shown = showTurn(turn, isLast, viewer)
      this.#shown.set(id, { turn, shown, isLast })
      return shown
    })
  }

  /** @param replyTo the message to which it replies, as far as it is known */
  showUnsent(unsent: UnsentMessage, replyTo: RepliedMessage | null): ShownMessage {
    const known = this.#unsent.get(unsent)
    if (known !== undefined) return known
    const state: ShownState = {
      ...ofPeople,
      sent: unsent.problem === null ? 'pending' : 'failed',
      problem: unsent.problem,
    }
    const { content = null, parts = null, partsFormat = null, clientId, name = null } = unsent.input
    const message = { content, parts, partsFormat } as Message
    const shown: ShownMessage = {
      id: clientId,
      role: 'user',
      content: partsOf(message),
      createdAt: new Date(unsent.writtenAt),
      metadata: { custom: { ...state, ...showReply(replyTo), name } },
    }
    this.#unsent.set(unsent, shown)
    return shown
  }

  /** The stored messages of a shown one. */
  messagesOf(id: string): readonly ThreadMessage[] {
    return this.#shown.get(id)?.turn ?? []
  }
}

interface ShownTurn {
  readonly turn: readonly ThreadMessage[]
  readonly shown: ShownMessage
  readonly isLast: boolean
}

const ofPeople: Omit<ShownState, 'sent' | 'problem'> = {
  siblings: null,
  name: null,
  author: null,
  isOwn: true,
  model: null,
  isDeleted: false,
  isEdited: false,
  isStopping: false,
  replyTo: null,
  reactions: [],
  feedback: null,
}

function isSameTurn(one: readonly ThreadMessage[], other: readonly ThreadMessage[]): boolean {
  return one.length === other.length && one.every((message, index) => message === other[index])
}
