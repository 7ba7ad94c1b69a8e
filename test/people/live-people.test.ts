import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bus } from '../../src/live/bus/bus.ts'
import { peopleKey } from '../../src/live/bus/bus.ts'
import { People, type PeopleTimes } from '../../src/live/people/people.ts'
import { mostBytes } from '../../src/live/people/people-note.ts'
import { Watchers } from '../../src/live/watchers.ts'
import type { Api, Results } from '../support/api.ts'
import type { TestDatabase } from '../support/database/database.ts'
import { type Carrier, openCarrier } from '../support/network/carrier.ts'
import { hasNats } from '../support/network/nats.ts'
import { serve, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const events = `subscription ($id: ID!) { conversationEvents(conversationId: $id) {
  __typename cursor
  ... on MessageAppended { edge { node { seq } } }
  ... on PresenceChanged { present { count userIds } }
  ... on TypingChanged { userIds }
  ... on ReadMarkersChanged { readMarkers { userId readSeq } participantCount }
} }`

const add = `mutation ($id: ID!, $userId: String!) {
  addParticipant(input: { conversationId: $id, userId: $userId }) { conversation { id } }
}`

const type = `mutation ($id: ID!, $isTyping: Boolean!) {
  setTyping(input: { conversationId: $id, isTyping: $isTyping }) { conversation { lastSeq } }
}`

const mark = 'mutation ($id: ID!, $seq: Int!) { markRead(input: { conversationId: $id, seq: $seq }) { __typename } }'

const readPresent = 'query ($id: ID!) { conversation(id: $id) { present { count userIds } } }'

// biome-ignore lint/suspicious/noExplicitAny: tests read events as the caller of an untyped API does.
type Event = any

const nextOf = async (feed: Results): Promise<Event> => (await feed.next())?.data.conversationEvents

/** The first event that is like this one; those before it are passed over. */
async function untilEvent(feed: Results, like: object): Promise<Event> {
  for (;;) {
    const event = await nextOf(feed)
    if (event === undefined) throw new Error(`the feed ended before ${JSON.stringify(like)}`)
    if (Object.entries(like).every(([name, value]) => JSON.stringify(event[name]) === JSON.stringify(value)))
      return event
  }
}

const here = (...userIds: string[]) => ({ present: { count: userIds.length, userIds } })
const typing = (...userIds: string[]) => ({ __typename: 'TypingChanged', userIds })

/** What one server or one bus says to the others, as the others hear it. */
class Ear implements AsyncDisposable {
  readonly said: string[] = []
  resumes = 0

  constructor(
    readonly bus: Bus,
    hear: (text: string) => void = () => {},
    resumed = () => {},
  ) {
    bus.start({
      moved: () => {},
      said: (text) => {
        this.said.push(text)
        hear(text)
      },
      resumed: () => {
        this.resumes += 1
        resumed()
      },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus[Symbol.asyncDispose]()
  }
}

const kinds = [
  { kind: 'PostgreSQL', isThere: true },
  { kind: 'NATS', isThere: hasNats },
] as const

describe.each(kinds)('people over $kind', ({ kind, isThere }) => {
  describe.skipIf(!isThere)(isThere ? 'each of them' : 'skipped, for there is no nats-server', () => {
    let database: TestDatabase
    let carrier: Carrier
    let client: Client
    let one: TestServer
    let two: TestServer

    beforeAll(async () => {
      const opened = await openCarrier(kind)
      database = opened.database
      carrier = opened.carrier
      client = await database.connect()
      one = await serve(database.url, carrier.settings)
      two = await serve(database.url, carrier.settings)
    })

    afterAll(async () => {
      for (const server of [one, two]) {
        await server[Symbol.asyncDispose]()
        expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
      }
      await carrier[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    })

    /** Both kinds of bus carry the same: what is done with it is tried over one of them. */
    const overOne = test.runIf(kind === 'PostgreSQL')

    const as = (userId: string, server = one) => server.as({ 'x-user-id': userId })

    /** A conversation of ada's with one message, in which these take part. @returns how they name it */
    async function share(id: string, ...others: string[]): Promise<string> {
      await as('ada').append(id, 'hello')
      for (const userId of others) await as('ada').get(add, { id, userId })
      const [first] = others
      if (first === undefined) return id
      return idOf(first)
    }

    /** The id by which a participant knows the conversation that changed last. */
    async function idOf(userId: string): Promise<string> {
      return (await as(userId).get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0].id
    }

    /** Opens a feed that tells who is here. */
    async function follow(api: Api, id: string, ...present: string[]): Promise<Results> {
      const feed = api.subscribe(events, { id })
      await untilEvent(feed, { __typename: 'CaughtUp' })
      await untilEvent(feed, here(...present))
      return feed
    }

    const keyOf = async (id: string): Promise<string> =>
      (await client.query("select key::text from conversation where id = $1 and user_id = 'ada'", [id])).rows[0].key

    test('a list hears on every server where its user has read on, and other lists do not', async () => {
      const id = await share('listed', 'ling')
      const follow = `subscription { conversationsChanged { __typename
        ... on ConversationListed { conversation { lastSeq unreadCount } }
      } }`
      const listed = async (feed: Results) => (await feed.next())?.data.conversationsChanged.conversation
      const open = async (userId: string) => {
        const feed = as(userId, two).subscribe(follow)
        await feed.next()
        return feed
      }
      await using ling = await open('ling')
      await using ada = await open('ada')
      await as('ada').append('listed', 'more')
      expect(await listed(ling)).toEqual({ lastSeq: 2, unreadCount: 2 })
      expect(await listed(ada)).toEqual({ lastSeq: 2, unreadCount: 0 })
      await as('ling').get(mark, { id, seq: 1 })
      expect(await listed(ling)).toEqual({ lastSeq: 2, unreadCount: 1 })
      // What does not move the marker is not told.
      await as('ling').get(mark, { id, seq: 1 })
      await as('ada').append('listed', 'last')
      expect(await listed(ling)).toEqual({ lastSeq: 3, unreadCount: 2 })
      expect(await listed(ada)).toEqual({ lastSeq: 3, unreadCount: 0 })
    })

    overOne(
      'of many conversations in which a user reads on at once its list hears, a read after the other',
      async () => {
        const ids = Array.from({ length: 45 }, (_, index) => `at-once-${index}`)
        const api = as('many')
        for (const id of ids) await api.append(id, 'x')
        await using feed = as('many', two).subscribe(
          'subscription { conversationsChanged { ... on ConversationListed { conversation { id } } } }',
        )
        await feed.next()
        await Promise.all(ids.map((id) => api.get(mark, { id, seq: 1 })))
        const heard = new Set<string>()
        while (heard.size < ids.length) heard.add((await feed.next())?.data.conversationsChanged.conversation.id)
        expect([...heard].sort()).toEqual([...ids].sort())
      },
    )

    test('whoever opens a feed is here for all, on both servers, and is gone with its last feed', async () => {
      const id = await share('room', 'grace')
      await using ada = await follow(as('ada'), 'room', 'ada')
      const grace = await follow(as('grace', two), id, 'ada', 'grace')
      await untilEvent(ada, here('ada', 'grace'))
      const again = await follow(as('grace', one), id, 'ada', 'grace')
      for (const server of [one, two]) {
        const { conversation } = await as('ada', server).get(readPresent, { id: 'room' })
        expect(conversation).toEqual(here('ada', 'grace'))
      }
      await again[Symbol.asyncDispose]()
      await grace[Symbol.asyncDispose]()
      await untilEvent(ada, here('ada'))
      // Nobody follows it there any more.
      expect((await as('ada', two).get(readPresent, { id: 'room' })).conversation).toEqual({ present: null })
    })

    overOne('who types is told on every server until it stops, or its message has come', async () => {
      const id = await share('typed', 'grace')
      await using ada = await follow(as('ada'), 'typed', 'ada')
      const append = async () => as('grace', two).append(id, 'words')
      const before = await append()
      const { cursor } = await untilEvent(ada, { __typename: 'MessageAppended' })
      expect(before.message.seq).toBe(2)
      await as('grace', two).get(type, { id, isTyping: true })
      expect(await untilEvent(ada, typing('grace'))).toMatchObject({ cursor })
      await as('grace').get(type, { id, isTyping: false })
      expect(await nextOf(ada)).toMatchObject(typing())
      await as('grace').get(type, { id, isTyping: true })
      expect(await nextOf(ada)).toMatchObject(typing('grace'))
      await append()
      expect(await nextOf(ada)).toMatchObject({ edge: { node: { seq: 3 } } })
      expect(await nextOf(ada)).toMatchObject(typing())
    })

    overOne('markers that move are told, the last of them for certain, and the cursor stays', async () => {
      const id = await share('read', 'grace')
      for (let seq = 2; seq <= 20; seq++) await as('ada').append('read', `${seq}`)
      await using ada = await follow(as('ada', two), 'read', 'ada')
      const markers = (readSeq: number) => ({
        readMarkers: [
          { userId: 'ada', readSeq: 20 },
          { userId: 'grace', readSeq },
        ],
        participantCount: 2,
      })
      for (let seq = 1; seq <= 20; seq++) await as('grace').get(mark, { id, seq })
      const { cursor } = await untilEvent(ada, markers(20))
      await as('grace').append(id, 'her own')
      const own = await nextOf(ada)
      expect(own).toMatchObject({ edge: { node: { seq: 21 } } })
      expect(own.cursor).not.toBe(cursor)
      await as('ada').get(mark, { id: 'read', seq: 21 })
      const { readMarkers } = await untilEvent(ada, { cursor: own.cursor })
      expect(readMarkers).toEqual([
        { userId: 'ada', readSeq: 21 },
        { userId: 'grace', readSeq: 21 },
      ])
    })

    overOne('alone in a conversation one is told of markers only, and nothing is said of who is here', async () => {
      await share('alone')
      await share('beside', 'grace')
      await as('grace').append(await idOf('grace'), 'hello ada')
      await using ear = new Ear(carrier.open())
      await ear.bus.interest(peopleKey).confirmed
      await using ada = as('ada', two).subscribe(events, { id: 'alone' })
      await untilEvent(ada, { __typename: 'CaughtUp' })
      await as('ada', two).get(type, { id: 'alone', isTyping: true })
      expect((await as('ada', two).get(readPresent, { id: 'alone' })).conversation).toEqual({ present: null })
      await as('ada').append('alone', 'more')
      await untilEvent(ada, { __typename: 'MessageAppended' })
      await as('ada').get(mark, { id: 'alone', seq: 2 })
      expect(await nextOf(ada)).toMatchObject({ readMarkers: [{ userId: 'ada', readSeq: 2 }], participantCount: 1 })
      const key = await keyOf('alone')
      const said = () => ear.said.flatMap((text) => JSON.parse(text).slice(2)).filter(([, of]) => of === key)
      await until(() => said().length > 0)
      // A marker that does not move is not told.
      await as('ada').get(mark, { id: 'alone', seq: 2 })
      await as('ada').get(mark, { id: 'beside', seq: 2 })
      const other = await keyOf('beside')
      await until(() => ear.said.some((text) => text.includes(other)))
      expect(said()).toEqual([['read', key]])
    })

    overOne('whoever was removed hears nothing more, even of what no hint has told', async () => {
      const id = await share('left', 'grace', 'kim')
      await using ada = await follow(as('ada'), 'left', 'ada')
      await using kim = await follow(as('kim', two), id, 'ada', 'kim')
      await untilEvent(ada, here('ada', 'kim'))
      await client.query("update participant set ended_at = now() where user_id = 'kim'")
      await as('grace').get(type, { id, isTyping: true })
      await untilEvent(ada, here('ada'))
      await untilEvent(ada, typing('grace'))
      await as('ada').get(mark, { id: 'left', seq: 1 })
      await as('ada').append('left', 'after')
      expect(await nextOf(kim)).toMatchObject({ __typename: 'ConversationDeleted' })
    })

    overOne('a feed that begins tells that nobody types: whoever followed before may have missed it', async () => {
      const id = await share('silent', 'grace')
      await as('grace').get(type, { id, isTyping: true })
      await as('grace').get(type, { id, isTyping: false })
      await using ada = await follow(as('ada'), 'silent', 'ada')
      await untilEvent(ada, typing())
    })

    overOne('markers are told again when others take part, without those who take none any more', async () => {
      const id = await share('fewer', 'grace')
      await as('grace').get(mark, { id, seq: 1 })
      await using ada = as('ada').subscribe(events, { id: 'fewer' })
      const markers = (...userIds: string[]) => userIds.map((userId) => ({ userId, readSeq: 1 }))
      await untilEvent(ada, { readMarkers: markers('ada', 'grace') })
      const remove =
        'mutation { removeParticipant(input: { conversationId: "fewer", userId: "grace" }) { __typename } }'
      await as('ada').get(remove)
      await untilEvent(ada, { readMarkers: markers('ada') })
    })

    overOne('what no server said is dropped, and nobody is named who takes no part', async () => {
      await share('noisy', 'grace')
      const key = await keyOf('noisy')
      await using ada = await follow(as('ada'), 'noisy', 'ada')
      await untilEvent(ada, typing())
      const say = (...notes: unknown[]) => JSON.stringify(['someone', false, ...notes])
      const junk = ['', '{}', '[]', '7', 'x y', '[1,2', '["x"]', '["x",1]', '["x",false,7]', '["x",false,[]]']
      const notes = [
        ['here', key],
        ['here', key, 7],
        ['typing', key, 'grace'],
        ['toString', key],
        ['here', key, 'a', 'b'],
      ]
      const huge = say(['here', key, 'x'.repeat(mostBytes)]).slice(0, 7_900)
      await carrier.shout([peopleKey], [...junk, huge, ...notes.map((note) => say(note))])
      const strange = [
        ['here', key, 'mallory'],
        ['typing', key, 'mallory', 'USER', 9],
        ['here', randomUUID(), 'grace'],
      ]
      await carrier.shout([peopleKey], [say(...strange, ['here', key, 'grace'])])
      expect(await nextOf(ada)).toMatchObject(here('ada', 'grace'))
      await carrier.shout([peopleKey], [say(['typing', key, 'grace', 'USER', 1])])
      expect(await nextOf(ada)).toMatchObject(typing('grace'))
    })

    overOne('fifty are named, and of fifty-one the number is told', async () => {
      await share('crowd', 'user 01')
      const key = await keyOf('crowd')
      const join = (from: number, to: number) =>
        client.query(
          `insert into participant (conversation_key, user_id, epoch, role, revision, created_at, changed_at)
           select key, 'user ' || lpad(n::text, 2, '0'), epoch, 'MEMBER', revision, now(), now()
           from conversation, generate_series($2::int, $3) n where key = $1`,
          [key, from, to],
        )
      await join(2, 49)
      await using ada = await follow(as('ada'), 'crowd', 'ada')
      await untilEvent(ada, typing())
      const names = Array.from({ length: 50 }, (_, n) => `user ${String(n + 1).padStart(2, '0')}`)
      const say = (users: string[]) =>
        carrier.shout([peopleKey], [JSON.stringify(['someone', false, ...users.map((user) => ['here', key, user])])])
      await say(names)
      expect(await nextOf(ada)).toMatchObject(here('ada', ...names.slice(0, 49)))
      await as('ada').get(mark, { id: 'crowd', seq: 1 })
      await as('user 01').append(await idOf('user 01'), 'x')
      await untilEvent(ada, { __typename: 'MessageAppended' })
      await as('ada').get(mark, { id: 'crowd', seq: 2 })
      const { readMarkers, participantCount } = await untilEvent(ada, { __typename: 'ReadMarkersChanged' })
      expect([readMarkers.length, readMarkers[1], participantCount]).toEqual([
        50,
        { userId: 'user 01', readSeq: 2 },
        50,
      ])
      await join(50, 50)
      await say(['nobody'])
      expect(await nextOf(ada)).toMatchObject({ present: { count: 51, userIds: [] } })
      // The event says no more than before, and how many have read a message is another number.
      for (const user of ['user 02', 'user 03']) {
        await as(user).get(mark, { id: await idOf(user), seq: 1 })
        expect(await untilEvent(ada, { __typename: 'ReadMarkersChanged' })).toMatchObject({
          readMarkers: [],
          participantCount: 51,
        })
      }
    })

    describe('with short times', () => {
      const times: PeopleTimes = {
        tickMs: 10,
        beatMs: 30,
        goneMs: 60_000,
        graceMs: 200,
        typingMs: 60_000,
        markersMs: 20,
      }

      /** What a server is to the others, without one. */
      interface Server extends AsyncDisposable {
        readonly people: People
        readonly ear: Ear
        present(): readonly string[] | undefined
      }

      async function open(key: string, differing: Partial<PeopleTimes> = {}): Promise<Server> {
        const bus = carrier.open(120_000)
        const watchers = new Watchers(bus)
        const people = new People(bus, watchers, { ...times, ...differing })
        const ear = new Ear(
          bus,
          (text) => people.hear(text),
          () => people.resumed(),
        )
        const watching = watchers.watch(key, { moved: () => {} })
        await until(() => ear.resumes === 1)
        return {
          people,
          ear,
          present: () => people.of(key)?.present,
          [Symbol.asyncDispose]: async () => {
            watching[Symbol.dispose]()
            await people[Symbol.asyncDispose]()
            await ear[Symbol.asyncDispose]()
          },
        }
      }

      overOne('people stay for as long as their server is heard, and are gone when it is killed', async () => {
        const key = randomUUID()
        const killed = await open(key)
        killed.people.enter(key, 'ada')
        const goneMs = 1_000
        await using left = await open(key, { goneMs })
        left.people.enter(key, 'grace')
        await until(() => left.present()?.length === 2)
        const before = left.ear.said.length
        // More beats than the time has after which it would be gone.
        await until(() => left.ear.said.length > before + 1.3 * (goneMs / times.beatMs))
        expect(left.present()).toEqual(['ada', 'grace'])
        await killed[Symbol.asyncDispose]()
        await until(() => left.present()?.length === 1)
        expect(left.present()).toEqual(['grace'])
      })

      test('after a line was lost everything is told again, and who left meanwhile is gone', async () => {
        const key = randomUUID()
        await using first = await open(key)
        await using second = await open(key)
        const ada = first.people.enter(key, 'ada')
        first.people.enter(key, 'grace')
        second.people.enter(key, 'kim')
        await until(() => first.present()?.length === 3 && second.present()?.length === 3)
        await carrier.takeAway()
        ada[Symbol.dispose]()
        await carrier.bringBack()
        await until(() => second.present()?.length === 2)
        expect(second.present()).toEqual(['grace', 'kim'])
        await until(() => first.present()?.length === 2)
      })

      test('what is too long for one message goes in several, each of them short enough', async () => {
        const key = randomUUID()
        await using first = await open(key)
        await using second = await open(key)
        second.people.enter(key, 'ada')
        // The longest id in bytes, and one that JSON makes longer still.
        const users = Array.from({ length: 60 }, (_, n) => `${n} ${(n % 2 === 0 ? '\u{1F600}' : '"').repeat(120)}`)
        for (const userId of users) first.people.enter(key, userId)
        await until(() => second.present()?.length === 61)
        const long = second.ear.said.filter((text) => text.includes('here'))
        expect(long.length).toBeGreaterThan(2)
        for (const text of long) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(mostBytes)
      })
    })
  })
})
