import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { applyEvent, FollowError } from '../../client/src/index.ts'
import { Api } from '../support/api.ts'
import { createDatabase } from '../support/database/database.ts'
import { isLong } from '../support/long.ts'
import { openCarrier } from '../support/network/carrier.ts'
import { hasNats } from '../support/network/nats.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { serve, type TestServer } from '../support/server.ts'
import { Storm, type StormMessage } from '../support/storm.ts'
import { until } from '../support/until.ts'

/** How long the weather lasts. */
const seconds = Number(process.env.STORM_SECONDS ?? 3)
const timeout = seconds * 1_000 + 120_000

const titles = ['c0', 'c1']
const members = ['grace', 'linus', 'otto']
/** They join and are gone again. */
const guests = ['ivan', 'nina']

const settings = { POLL_MS: '1000', PING_MS: '2000', QUOTA_STREAMS: 'off' }

const kinds = [
  { kind: 'PostgreSQL', isTried: true },
  { kind: 'NATS', isTried: hasNats && isLong },
] as const

test.for(kinds)(
  'people join, leave, read and type, two servers, over $kind: everything told and counted is exact',
  {
    timeout,
  },
  async ({ kind, isTried }, { skip }) => {
    skip(!isTried, 'over NATS with TEST_LONG, where there is a nats-server')
    await using stack = new AsyncDisposableStack()
    const { database, carrier } = await openCarrier(kind)
    stack.use(database)
    stack.use(carrier)
    const start = async () => stack.use(await serve(database.url, { ...settings, ...carrier.settings }))
    const servers = [await start(), await start()]
    const proxy = stack.use(await TcpProxy.before(...servers))
    const person = (userId: string) => stack.use(new Person(proxy, userId))
    const ada = person('ada')
    const [others, visitors] = [members.map(person), guests.map(person)]
    const residents = [ada, ...others]
    for (const title of titles) {
      const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }'
      await ada.get(create, { input: { id: title, title, ifExists: 'RETURN' } })
      for (const { userId } of [...others, ...visitors]) await ada.get(add, { id: title, userId })
    }
    for (const one of [...residents, ...visitors]) await one.learnIds()

    const views = residents.flatMap((one) => titles.map((title) => new View(one, title)))
    const working = Promise.all([
      ...residents.flatMap((one) => titles.map((title) => one.live(title))),
      ...titles.map((title) => ada.storm.edit(title, 'edited')),
    ])
    const visiting = Promise.all(visitors.flatMap((one) => titles.map((title) => comeAndGo(ada, one, title))))
    const weather = disturb(proxy, ada.storm)
    await Promise.race([pause(seconds * 1_000), ...[working, visiting, ...views.map(({ told }) => told)]])
    for (const one of [...residents, ...visitors]) one.storm.end()
    await weather
    proxy.resume()
    await working
    const visits = await visiting

    for (const title of titles) {
      await ada.storm.append(title, 'last')
      const { messages } = await ada.storm.read(title)
      expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1))
      const readSeqs = residents.map((one) => [one.userId, one.readSeq(title, messages)] as const)
      for (const view of views.filter((one) => one.title === title)) {
        // Markers and typing have no place in the log: their last state comes at some time.
        await until(() => view.messages.length === messages.length && view.typing.length === 0)
        await until(() => same(view.readSeqs(), readSeqs))
        await until(() =>
          same(
            view.present,
            residents.map(({ userId }) => userId),
          ),
        )
        expect(view.messages).toEqual(messages)
      }
      for (const [userId, readSeq] of readSeqs) {
        const one = residents.find((resident) => resident.userId === userId) as Person
        const unreadCount = Math.min(100, messages.filter((message) => isToRead(message, userId, readSeq)).length)
        for (const server of servers) {
          expect(await one.stateAt(server, title), `${userId} in ${title}`).toEqual([
            { readSeq, unreadCount },
            unreadCount,
          ])
        }
      }
      for (const visit of visits.flat().filter((one) => one.title === title)) {
        // All of it from the beginning, and nothing of what came after the guest was gone.
        expect(visit.ids).toEqual(messages.slice(0, visit.ids.length).map(({ id }) => id))
        expect(visit.ids.length).toBeLessThanOrEqual(visit.lastSeq)
      }
    }
    expect(visits.flat().length).toBeGreaterThan(visitors.length)
  },
)

test('the people on a server that is killed are gone for those on another one, and come back with it', {
  timeout,
}, async ({ skip }) => {
  skip(!isLong, 'ten seconds pass until they are gone')
  await buildPrograms()
  await using database = await createDatabase()
  await using stays = await ServerProcess.start(database.url)
  await using killed = await ServerProcess.start(database.url)
  const [ada, grace] = ['ada', 'grace'].map((userId) => new Api(stays.url, { 'x-user-id': userId })) as [Api, Api]
  await ada.append('c', 'hello')
  await ada.get(add, { id: 'c', userId: 'grace' })
  const id = (await grace.get('{ conversations { nodes { id } } }')).conversations.nodes[0].id
  const events = `subscription ($id: ID!) { conversationEvents(conversationId: $id) {
    ... on PresenceChanged { present { userIds } }
  } }`
  await using feed = ada.subscribe(events, { id: 'c' })
  const untilHere = async (...userIds: string[]) => {
    for (;;) {
      const event = (await feed.next())?.data.conversationEvents
      if (JSON.stringify(event.present?.userIds) === JSON.stringify(userIds)) return
    }
  }
  const follow = (server: ServerProcess) => new Api(server.url, { 'x-user-id': 'grace' }).subscribe(events, { id })
  const lost = follow(killed)
  await untilHere('ada', 'grace')
  killed.program.kill('SIGKILL')
  await untilHere('ada')
  await lost[Symbol.asyncDispose]().catch(() => {})
  await using _back = follow(stays)
  await untilHere('ada', 'grace')
})

const add = `mutation ($id: ID!, $userId: String!) {
  addParticipant(input: { conversationId: $id, userId: $userId }) { conversation { lastSeq } }
}`
const remove = `mutation ($id: ID!, $userId: String!) {
  removeParticipant(input: { conversationId: $id, userId: $userId }) { conversation { lastSeq } }
}`
const mark = `mutation ($id: ID!, $seq: Int!) {
  markRead(input: { conversationId: $id, seq: $seq }) { conversation { readSeq } }
}`
const type = `mutation ($id: ID!, $isTyping: Boolean!) {
  setTyping(input: { conversationId: $id, isTyping: $isTyping }) { __typename }
}`

/** Somebody who takes part in all of the conversations. */
class Person implements Disposable {
  readonly storm: Storm
  /** By title: how this one names the conversation. */
  #ids = new Map<string, string>()
  /** By title: what was answered last. */
  readonly #readSeqs = new Map<string, number>()

  constructor(
    place: { readonly url: string },
    readonly userId: string,
  ) {
    this.storm = new Storm(place, userId)
  }

  async get(query: string, variables: object) {
    const { data, errors } = await this.storm.ask(query, variables)
    if (errors !== undefined) throw new Error(`${this.userId}: ${JSON.stringify(errors)}`)
    return data
  }

  async learnIds(): Promise<void> {
    const { conversations } = await this.get('{ conversations(first: 50) { nodes { id title } } }', {})
    this.#ids = new Map(conversations.nodes.map(({ id, title }: Record<string, string>) => [title, id]))
  }

  idOf(title: string): string {
    return this.#ids.get(title) as string
  }

  /** Types, writes and reads, again and again. */
  async live(title: string): Promise<void> {
    const id = this.idOf(title)
    for (let n = 0; !this.storm.isOver; n++) {
      await this.get(type, { id, isTyping: true })
      await this.storm.breathe(100)
      const own = await this.storm.append(id, `${this.userId}:${n}`)
      // Sometimes behind the marker, which stays then, and sometimes of what is not there yet.
      const seq = Math.max(1, own - 5 + Math.floor(Math.random() * 8))
      const { readSeq } = (await this.get(mark, { id, seq })).markRead.conversation
      expect(readSeq).toBeGreaterThanOrEqual(this.#readSeqs.get(title) ?? 0)
      this.#readSeqs.set(title, readSeq)
      await this.get(type, { id, isTyping: n % 2 === 0 })
      await this.storm.breathe(100)
    }
    await this.get(type, { id, isTyping: false })
  }

  /** What it has to be. @param messages all of the conversation's */
  readSeq(title: string, messages: readonly StormMessage[]): number {
    const own = messages.findLast(({ author }) => author.userId === this.userId)
    return Math.max(this.#readSeqs.get(title) ?? 0, own?.seq ?? 0)
  }

  /** What a server answers: of the conversation, and in the list. */
  async stateAt(server: TestServer, title: string): Promise<[object, number]> {
    const data = await server.as({ 'x-user-id': this.userId }).get(
      `query ($id: ID!) {
        conversation(id: $id) { readSeq unreadCount }
        conversations(first: 50) { nodes { title unreadCount } }
      }`,
      { id: this.idOf(title) },
    )
    const listed = data.conversations.nodes.find((one: { title: string }) => one.title === title)
    return [data.conversation, listed.unreadCount]
  }

  [Symbol.dispose](): void {
    this.storm[Symbol.dispose]()
  }
}

/** What somebody sees of a conversation from its beginning on. */
class View {
  messages: readonly StormMessage[] = []
  typing: readonly string[] = []
  present: readonly string[] = []
  /** Only rejects: nothing ends the feed. */
  readonly told: Promise<void>
  #markers: readonly { readonly userId: string; readonly readSeq: number }[] = []

  constructor(
    person: Person,
    readonly title: string,
  ) {
    this.told = this.#follow(person)
    this.told.catch(() => {})
  }

  async #follow(person: Person): Promise<void> {
    for await (const event of person.storm.events(person.idOf(this.title), '')) {
      this.messages = applyEvent(this.messages, event)
      if (event.__typename === 'TypingChanged') this.typing = event.userIds
      if (event.__typename === 'PresenceChanged') this.present = event.present.userIds
      if (event.__typename === 'ReadMarkersChanged') this.#markers = event.readMarkers
    }
    throw new Error(`the feed of ${this.title} ended`)
  }

  /** A user's own message is its marker, too. */
  readSeqs(): [string, number][] {
    return this.#markers.map(({ userId, readSeq }) => {
      const own = this.messages.findLast(({ author }) => author.userId === userId)
      return [userId, Math.max(readSeq, own?.seq ?? 0)]
    })
  }
}

interface Visit {
  readonly title: string
  /** Of the messages that were told. */
  readonly ids: readonly string[]
  /** That of the conversation when the guest was gone. */
  readonly lastSeq: number
}

/** A guest who takes part follows until the owner removes it, and is added again. Ends without a part. */
async function comeAndGo(owner: Person, guest: Person, title: string): Promise<Visit[]> {
  const visits: Visit[] = []
  const id = guest.idOf(title)
  const { userId } = guest
  for (let n = 0; n === 0 || !guest.storm.isOver; n++) {
    if (n > 0) await owner.get(add, { id: title, userId })
    const told = follow(guest, id)
    const ownSeq = await guest.storm.append(id, `${userId}:${n}`)
    await guest.get(mark, { id, seq: ownSeq + 1 })
    await guest.get(type, { id, isTyping: true })
    await guest.storm.breathe(200)
    const { lastSeq } = (await owner.get(remove, { id: title, userId })).removeParticipant.conversation
    visits.push({ title, ids: await told, lastSeq })
    await guest.storm.breathe(100)
  }
  return visits
}

/** @returns the ids of the messages that were told until the feed ended */
async function follow(guest: Person, id: string): Promise<string[]> {
  let messages: readonly StormMessage[] = []
  try {
    for await (const event of guest.storm.events(id, '')) messages = applyEvent(messages, event)
  } catch (error) {
    // The connection was lost, and the guest was gone when it came back.
    if (!(error instanceof FollowError && error.code === 'NOT_FOUND')) throw error
  }
  return messages.map((message) => message.id)
}

function isToRead({ seq, author, deletedAt }: StormMessage, userId: string, readSeq: number): boolean {
  return seq > readSeq && author.userId !== userId && deletedAt === null
}

function same(one: readonly unknown[], other: readonly unknown[]): boolean {
  const sorted = (all: readonly unknown[]) => all.map((value) => JSON.stringify(value)).sort()
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
}

async function disturb(proxy: TcpProxy, storm: Storm): Promise<void> {
  const kinds = [() => proxy.cut(0.4), () => proxy.stall(0.2), () => proxy.resume(), () => proxy.cut()]
  for (let n = 0; !storm.isOver; n++) {
    kinds[n % kinds.length]?.()
    await storm.breathe(500)
  }
}
