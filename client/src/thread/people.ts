import type { ConversationEvent, MessageAuthor, Participant, ParticipantRole, PresentUsers } from '../schema/types.ts'
import type { ShownMessage, ThreadMessage } from './shown-message.ts'
import type { ShownPeople } from './shown-people.ts'

/** What a thread reads of the people when it begins. */
export interface PeopleHead {
  readonly viewerRole: ParticipantRole | null
  readonly takenOverBy: string | null
  /** As many as a page has; null: they cannot be read now. */
  readonly participants: { readonly nodes: readonly KnownPerson[] } | null
}

export type KnownPerson = Pick<Participant, 'userId' | 'name' | 'picture'>

interface ShownTurn {
  readonly id: ShownMessage['id']
  readonly messages: readonly ThreadMessage[]
}

/** Who takes part in a conversation, as far as its feed tells. */
export class People {
  readonly #viewer: string
  #head: Omit<PeopleHead, 'participants'>
  #present: PresentUsers | null = null
  #typing: readonly string[] = []
  readonly #known = new Map<string, KnownPerson>()
  /** What messages say of their authors, the newest of each. */
  readonly #said = new Map<string, { readonly seq: number; readonly name: string }>()
  /** Names in messages after which the server was asked for what it knows of their authors. */
  readonly #asked = new Map<string, string>()
  #named: Pick<ShownPeople, 'names' | 'pictures'> | null = null
  readonly #markers = new Map<string, number>()
  /** How many take part; null: there are few enough to name them. */
  #crowd: number | null = null
  #readCount: { readonly seq: number; readonly count: number } | null = null
  #shown: { readonly text: string; readonly people: ShownPeople } | null = null

  constructor(viewer: string, { viewerRole, takenOverBy, participants }: PeopleHead) {
    this.#viewer = viewer
    this.#head = { viewerRole, takenOverBy }
    this.know(participants)
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
  become({
    viewerRole = this.#head.viewerRole,
    takenOverBy = this.#head.takenOverBy,
    participants = null,
  }: Partial<PeopleHead>): void {
    this.#head = { viewerRole, takenOverBy }
    this.know(participants)
  }

  /** What their tokens say of them. */
  know(participants: PeopleHead['participants']): void {
    if (participants === null) return
    for (const person of participants.nodes) this.#known.set(person.userId, person)
    this.#named = null
  }

  /** Whoever writes under a name is shown by that name, unless a token says another one. */
  meet({ role, name, author, seq }: ThreadMessage): void {
    if (author.kind !== 'USER') return
    const said = author.name ?? (role === 'USER' ? name : null)
    const last = this.#said.get(author.userId)
    if (said === null || (last !== undefined && last.seq > seq)) return
    this.#said.set(author.userId, { seq, name: said })
    if (last?.name !== said) this.#named = null
  }

  /** @returns stranger: somebody has come whose name is not known and may have brought one, or writes under another one */
  take(event: ConversationEvent<ThreadMessage>): 'stranger' | null {
    switch (event.__typename) {
      case 'PresenceChanged': {
        const here = [this.#viewer, ...(this.#present?.userIds ?? [])]
        this.#present = event.present
        const come = event.present.userIds.filter((userId) => !here.includes(userId))
        return come.every((userId) => this.#known.get(userId)?.name) ? null : 'stranger'
      }
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
        return this.#isNews(event.edge.node.author) ? 'stranger' : null
    }
    return null
  }

  #isNews({ kind, userId, name }: MessageAuthor): boolean {
    if (kind !== 'USER' || name === null || this.#known.get(userId)?.name === name) return false
    // Whoever takes no part, as an operator, is not found, however often one asks.
    if (this.#asked.get(userId) === name) return false
    this.#asked.set(userId, name)
    return true
  }

  /** How many have read the message of that seq. */
  counted(seq: number, count: number): void {
    this.#readCount = { seq, count }
  }

  show(turns: readonly ShownTurn[]): ShownPeople {
    const people: Omit<ShownPeople, 'names' | 'pictures'> = {
      viewer: this.#viewer,
      ...this.#head,
      present: this.#present,
      typing: this.#typing.filter((userId) => userId !== this.#viewer),
      readers: this.#readersOf(turns),
      readCount: turns.at(-1)?.messages.at(-1)?.seq === this.#readCount?.seq ? (this.#readCount?.count ?? null) : null,
    }
    const text = JSON.stringify(people)
    this.#named ??= this.#collectNamed()
    if (this.#shown?.text !== text || this.#shown.people.names !== this.#named.names) {
      this.#shown = { text, people: { ...people, ...this.#named } }
    }
    return this.#shown.people
  }

  #collectNamed(): Pick<ShownPeople, 'names' | 'pictures'> {
    // Without a prototype: a user may be called `constructor`.
    const names: Record<string, string> = Object.create(null)
    const pictures: Record<string, string> = Object.create(null)
    for (const [userId, { name }] of this.#said) names[userId] = name
    for (const { userId, name, picture } of this.#known.values()) {
      if (name !== null) names[userId] = name
      if (picture !== null) pictures[userId] = picture
    }
    return { names, pictures }
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
