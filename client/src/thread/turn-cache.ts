import type { Message } from '../schema/types.ts'
import { type ShownMessage, type ShownState, shownId, showTurn, type ThreadMessage, turnsOf } from './shown-message.ts'
import { partsOf } from './shown-parts.ts'
import type { UnsentMessage } from './unsent.ts'

/** The turns as they are shown: the same object until something of it has changed, so that nothing else is painted. */
export class TurnCache {
  readonly #shown = new Map<string, { readonly turn: readonly ThreadMessage[]; readonly shown: ShownMessage }>()
  readonly #unsent = new WeakMap<UnsentMessage, ShownMessage>()

  show(path: readonly ThreadMessage[]): ShownMessage[] {
    return turnsOf(path).map((turn) => {
      const id = shownId(turn[0] as ThreadMessage)
      const known = this.#shown.get(id)
      if (known !== undefined && isSameTurn(known.turn, turn)) return known.shown
      const shown = showTurn(turn)
      this.#shown.set(id, { turn, shown })
      return shown
    })
  }

  showUnsent(unsent: UnsentMessage): ShownMessage {
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
      metadata: { custom: { ...state, name } },
    }
    this.#unsent.set(unsent, shown)
    return shown
  }

  /** The stored messages of a shown one. */
  messagesOf(id: string): readonly ThreadMessage[] {
    return this.#shown.get(id)?.turn ?? []
  }
}

const ofPeople: Omit<ShownState, 'sent' | 'problem'> = {
  siblings: null,
  name: null,
  model: null,
  isDeleted: false,
  isEdited: false,
  isStopping: false,
}

function isSameTurn(one: readonly ThreadMessage[], other: readonly ThreadMessage[]): boolean {
  return one.length === other.length && one.every((message, index) => message === other[index])
}
