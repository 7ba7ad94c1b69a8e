import { randomUUID } from 'node:crypto'
import type { AuthorKind } from '../../entities/message/message-enums.ts'
import { listKey } from '../../storage/conversation/conversation-key.ts'
import type { Bus } from '../bus/bus.ts'
import { states, type Watchers } from '../watchers.ts'
import { ConversationPeople } from './conversation-people.ts'
import { type Note, readSaying, subjectOf, writeSaying } from './people-note.ts'

/** In milliseconds. */
export interface PeopleTimes {
  /** At most once in this time it tells feeds, and says something to other servers. */
  readonly tickMs: number
  /** So often a server on which people are says that it is there. */
  readonly beatMs: number
  /** Of a server that says nothing for so long nobody is there any more. */
  readonly goneMs: number
  /** So long servers have for telling again who is there, once something may have been missed. */
  readonly graceMs: number
  /** Whoever types is to say so again within this time. */
  readonly typingMs: number
  /** At most once in this time feeds are told of the markers of a conversation. */
  readonly markersMs: number
}

/** Whoever is gone, or types no more, is so for others within 10 s: so long, and the second between two looks. */
const usualTimes: PeopleTimes = {
  tickMs: 250,
  beatMs: 2_000,
  goneMs: 7_000,
  graceMs: 3_000,
  typingMs: 7_000,
  markersMs: 1_000,
}

/** So many ticks are between two looks at what expires, and between two ticks while nothing happens. */
const ticksOfRest = 4
/** Of so many conversations at most it tells the markers in one tick, for each of them is read. */
export const markersPerTick = 50
/** Of so many conversations at most a list is told in one tick. */
export const mostSeen = 1_000
/** While so many notes wait to be said, typing and markers are not noted. Who is here is: it would be told no more. */
export const mostNotes = 10_000
/** Of more servers than this nothing is held, and of no more that were lost it is known that they were. */
export const mostServers = 1_000

/** A part in the company of a conversation, until it is disposed. */
export type Presence = Disposable

/**
 * Who is in conversations that several people share, who types there, and where markers of what was read moved: all that
 * feeds tell and no log has. It is told to the other servers as notes, and forgotten.
 *
 * Who is here is a state of each server. A server tells what of it changes, and every `beatMs` that it is still there; it
 * tells all of it again to whoever asks, and after its line was lost. So it is the same work for a conversation however
 * long people stay.
 *
 * There is one timer for everything. It runs in `tickMs` after something happened, rarely while people are here, and not at
 * all while nobody is.
 */
export class People implements AsyncDisposable {
  readonly #bus: Pick<Bus, 'isOpen' | 'maySay' | 'say'>
  readonly #watchers: Pick<Watchers, 'stir' | 'watches'>
  readonly #times: PeopleTimes
  readonly #self = randomUUID()
  /** Those that somebody follows on this server. */
  readonly #conversations = new Map<string, ConversationPeople>()
  /** Whom this server hears: until when that holds without another word. */
  readonly #servers = new Map<string, number>()
  /** Those that said nothing for too long, the newest last. */
  readonly #lost = new Set<string>()
  /** The conversations whose feeds are to be told who is here. */
  readonly #changed = new Set<string>()
  /** When feeds were told of markers the last time, and whether these have moved since. */
  readonly #markers = new Map<string, { toldAt: number; hasMoved: boolean }>()
  /** By the key of a list: in which conversations its user has read on since the last tick. */
  readonly #seen = new Map<string, Set<string>>()
  readonly #toSay = new Map<string, Note>()
  #isFresh = false
  #saidAt = Number.NEGATIVE_INFINITY
  #tickedAt = Number.NEGATIVE_INFINITY
  #expiredAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #dueAt = 0

  constructor(
    bus: Pick<Bus, 'isOpen' | 'maySay' | 'say'>,
    watchers: Pick<Watchers, 'stir' | 'watches'>,
    times: PeopleTimes = usualTimes,
  ) {
    this.#bus = bus
    this.#watchers = watchers
    this.#times = times
  }

  /** A user has opened a feed of a conversation that several people share. */
  enter(key: string, userId: string): Presence {
    const people = this.#conversations.get(key) ?? new ConversationPeople()
    if (!people.isFollowed) this.#note(['who', key])
    this.#conversations.set(key, people)
    if (people.enters(userId)) {
      this.#note(['here', key, userId])
      this.#hasChanged(key)
    }
    let isHere = true
    return {
      [Symbol.dispose]: () => {
        if (isHere) this.#leave(key, userId, people)
        isHere = false
      },
    }
  }

  /** Who is here and types, by id; null: nobody follows the conversation on this server, so it does not know. */
  of(key: string): Pick<ConversationPeople, 'present' | 'typing'> | null {
    return this.#conversations.get(key) ?? null
  }

  /** @param seq the last one of the conversation: a message of the user behind it ends its typing */
  types(key: string, userId: string, kind: AuthorKind, seq: number): void {
    this.#tell(['typing', key, userId, kind, seq])
  }

  typesNoMore(key: string, userId: string): void {
    this.#tell(['still', key, userId])
  }

  /** A message has come. What its author typed has ended with it. */
  wrote(key: string, userId: string, kind: AuthorKind, seq: number): void {
    if (this.#conversations.get(key)?.wrote(userId, kind, seq)) this.#hasChanged(key)
  }

  /** A marker of what was read has moved. */
  read(key: string): void {
    this.#tell(['read', key])
  }

  /** The marker was this user's: its lists are told. */
  seen(userId: string, key: string): void {
    this.#tell(['seen', listKey(userId), key])
  }

  /** Another server said this. */
  hear(text: string): void {
    const saying = readSaying(text)
    if (saying === null || saying.server === this.#self) return
    const { server, isFresh, notes } = saying
    const now = performance.now()
    const isKnown = this.#servers.has(server) || this.#servers.size < mostServers
    if (this.#conversations.size > 0 && isKnown) this.#servers.set(server, now + this.#times.goneMs)
    // It, or this server, stood still for a while.
    if (this.#lost.delete(server)) for (const key of this.#conversations.keys()) this.#note(['who', key])
    if (isFresh) for (const people of this.#conversations.values()) people.doubts(now + this.#times.graceMs, server)
    for (const note of notes) if (isKnown) this.#take(note, server)
  }

  /** The bus hears again. What was said meanwhile was missed, and what this server said may have been. */
  resumed(): void {
    this.#isFresh = this.#saidAt !== Number.NEGATIVE_INFINITY
    const until = performance.now() + this.#times.graceMs
    for (const [key, people] of this.#conversations) {
      people.doubts(until)
      this.#note(['who', key])
      this.#noteOwn(key, people)
      this.#markersMoved(key)
    }
    this.#wake()
  }

  #leave(key: string, userId: string, people: ConversationPeople): void {
    if (people.leaves(userId)) {
      this.#note(['gone', key, userId])
      this.#hasChanged(key)
    }
    if (people.isFollowed) return
    this.#conversations.delete(key)
    if (this.#conversations.size === 0) this.#servers.clear()
  }

  /** To this server, and to the others. */
  #tell(note: Note): void {
    this.#take(note, this.#self)
    if (this.#toSay.size < mostNotes) this.#note(note)
  }

  #take(note: Note, server: string): void {
    if (note[0] === 'read') {
      this.#markersMoved(note[1])
      return
    }
    if (note[0] === 'seen') {
      this.#hasSeen(note[1], note[2])
      return
    }
    const [what, key, userId] = note
    const people = this.#conversations.get(key)
    if (people === undefined) return
    if (what === 'who') this.#noteOwn(key, people)
    else if (change(people, note, server, userId as string, this.#times)) this.#hasChanged(key)
  }

  #noteOwn(key: string, people: ConversationPeople): void {
    for (const userId of people.own) this.#note(['here', key, userId])
  }

  #note(note: Note): void {
    this.#toSay.set(subjectOf(note), note)
    this.#wake()
  }

  #hasChanged(key: string): void {
    this.#changed.add(key)
    this.#wake()
  }

  #markersMoved(key: string): void {
    if (!this.#watchers.watches(key)) return
    const toldAt = this.#markers.get(key)?.toldAt ?? Number.NEGATIVE_INFINITY
    this.#markers.set(key, { toldAt, hasMoved: true })
    this.#wake()
  }

  #hasSeen(list: string, key: string): void {
    if (!this.#watchers.watches(list)) return
    const seen = this.#seen.get(list) ?? new Set()
    if (seen.size < mostSeen) seen.add(key)
    this.#seen.set(list, seen)
    this.#wake()
  }

  #wake(): void {
    this.#tickAt(Math.max(performance.now(), this.#tickedAt + this.#times.tickMs))
  }

  #tickAt(time: number): void {
    if (this.#timer !== null && this.#dueAt <= time) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#dueAt = time
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(time - performance.now()))).unref()
  }

  #tick(): void {
    this.#timer = null
    const now = performance.now()
    this.#tickedAt = now
    if (now - this.#expiredAt >= ticksOfRest * this.#times.tickMs) this.#expire(now)
    for (const key of this.#changed) this.#watchers.stir(key, states.people)
    this.#changed.clear()
    for (const [list, keys] of this.#seen) this.#watchers.stir(list, states.seen, [...keys])
    this.#seen.clear()
    const isDone = this.#tellMarkers(now)
    if (this.#bus.maySay) this.#say(now)
    // The bus says so when it is open again.
    if (!isDone || (this.#bus.isOpen && (this.#isFresh || this.#toSay.size > 0))) this.#wake()
    else if (this.#conversations.size + this.#markers.size > 0) this.#tickAt(now + ticksOfRest * this.#times.tickMs)
  }

  #expire(now: number): void {
    this.#expiredAt = now
    for (const [server, until] of this.#servers) {
      if (until > now) continue
      this.#servers.delete(server)
      const [oldest] = this.#lost
      if (oldest !== undefined && this.#lost.size === mostServers) this.#lost.delete(oldest)
      this.#lost.add(server)
      for (const [key, people] of this.#conversations) if (people.loses(server)) this.#changed.add(key)
    }
    for (const [key, people] of this.#conversations) if (people.expires(now)) this.#changed.add(key)
  }

  /** @returns whether none of them waits */
  #tellMarkers(now: number): boolean {
    let told = 0
    let isDone = true
    for (const [key, { toldAt, hasMoved }] of this.#markers) {
      const isEarly = now - toldAt < this.#times.markersMs
      if (hasMoved && (isEarly || told === markersPerTick)) isDone = false
      else if (hasMoved) {
        told += 1
        this.#markers.set(key, { toldAt: now, hasMoved: false })
        this.#watchers.stir(key, states.markers)
      } else if (!isEarly) this.#markers.delete(key)
    }
    return isDone
  }

  #say(now: number): void {
    const isBeat = this.#conversations.size > 0 && now - this.#saidAt >= this.#times.beatMs
    if (this.#toSay.size === 0 && !this.#isFresh && !isBeat) return
    const { text, count } = writeSaying(this.#self, this.#isFresh, this.#toSay.values())
    for (const subject of [...this.#toSay.keys()].slice(0, count)) this.#toSay.delete(subject)
    this.#isFresh = false
    this.#saidAt = now
    this.#bus.say(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }
}

/** @returns whether others see something new */
function change(
  people: ConversationPeople,
  note: Note,
  server: string,
  userId: string,
  { typingMs }: PeopleTimes,
): boolean {
  switch (note[0]) {
    case 'here':
      return people.isOn(server, userId)
    case 'gone':
      return people.isGoneFrom(server, userId)
    case 'typing':
      return people.types(userId, { until: performance.now() + typingMs, kind: note[3], seq: note[4] })
    case 'still':
      return people.isStill(userId)
    default:
      return false
  }
}
