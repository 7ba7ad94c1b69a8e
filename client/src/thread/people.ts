import type { ConversationEvent, MessageAuthor, ParticipantRole, PresentUsers } from '../schema/types.ts'
import type { ShownMessage, ThreadMessage } from './shown-message.ts'
import type { ShownPeople } from './shown-people.ts'

/** What a thread reads of the people when it begins. */
export interface PeopleHead {
  readonly viewerRole: ParticipantRole | null
  readonly takenOverBy: string | null
}

interface ShownTurn {
  readonly id: ShownMessage['id']
  readonly messages: readonly ThreadMessage[]
}

/** Who takes part in a conversation, as far as its feed tells. */
export class People {
  readonly #viewer: string
  #head: PeopleHead
  #present: PresentUsers | null = null
  #typing: readonly string[] = []
  readonly #names = new Map<string, string>()
  readonly #markers = new Map<string, number>()
  /** How many take part; null: there are few enough to name them. */
  #crowd: number | null = null
  #readCount: { readonly seq: number; readonly count: number } | null = null
  #shown: { readonly text: string; readonly people: ShownPeople } | null = null

  constructor(viewer: string, head: PeopleHead) {
    this.#viewer = viewer
    this.#head = head
  }

  /** Whether there are so many that the feed does not name them. */
  get isCrowd(): boolean {
    return this.#crowd !== null
  }

  /** Whether anybody would see that the viewer types. */
  get isWatched(): boolean {
    return (this.#present?.count ?? 0) > 1 && this.#head.viewerRole !== 'OBSERVER'
  }

  /** What is absent is as it was. */
  become({ viewerRole = this.#head.viewerRole, takenOverBy = this.#head.takenOverBy }: Partial<PeopleHead>): void {
    this.#head = { viewerRole, takenOverBy }
  }

  /** Whoever writes under a name is shown by that name. */
  meet({ role, name, author }: ThreadMessage): void {
    if (role === 'USER' && author.kind === 'USER' && name !== null) this.#names.set(author.userId, name)
  }

  take(event: ConversationEvent<ThreadMessage>): void {
    switch (event.__typename) {
      case 'PresenceChanged':
        this.#present = event.present
        break
      case 'TypingChanged':
        this.#typing = event.userIds
        break
      case 'ReadMarkersChanged':
        this.#crowd = event.readMarkers.length === 0 && event.participantCount > 0 ? event.participantCount : null
        this.#markers.clear()
        for (const { userId, readSeq } of event.readMarkers) this.#markers.set(userId, readSeq)
        break
      case 'MessageAppended':
        this.#wrote(event.edge.node)
        break
    }
  }

  /** How many have read the message of that seq. */
  counted(seq: number, count: number): void {
    this.#readCount = { seq, count }
  }

  show(turns: readonly ShownTurn[]): ShownPeople {
    const people: ShownPeople = {
      viewer: this.#viewer,
      ...this.#head,
      names: Object.fromEntries(this.#names),
      present: this.#present,
      typing: this.#typing.filter((userId) => userId !== this.#viewer),
      readers: this.#readersOf(turns),
      readCount: turns.at(-1)?.messages.at(-1)?.seq === this.#readCount?.seq ? (this.#readCount?.count ?? null) : null,
    }
    const text = JSON.stringify(people)
    if (this.#shown?.text !== text) this.#shown = { text, people }
    return this.#shown.people
  }

  /** A message of a user moves its marker, and is all that is told of it. */
  #wrote({ author, seq }: ThreadMessage): void {
    const { userId } = author
    if (author.kind !== 'USER' || !this.#markers.has(userId)) return
    this.#markers.set(userId, Math.max(seq, this.#markers.get(userId) ?? 0))
  }

  #readersOf(turns: readonly ShownTurn[]): Record<string, string[]> {
    const readers: Record<string, string[]> = {}
    for (const [userId, readSeq] of this.#markers) {
      if (userId === this.#viewer || readSeq === 0) continue
      const last = turns.findLast(({ messages }) => (messages.at(-1)?.seq ?? Number.POSITIVE_INFINITY) <= readSeq)
      if (last === undefined || isBy(last.messages[0]?.author, userId)) continue
      readers[last.id] = [...(readers[last.id] ?? []), userId]
    }
    return readers
  }
}

function isBy(author: MessageAuthor | undefined, userId: string): boolean {
  return author?.kind === 'USER' && author.userId === userId
}
