import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Bus } from '../../src/live/bus/bus.ts'
import type { Moved } from '../../src/storage/postgres/store.ts'
import type { Answer } from '../support/api.ts'
import type { TestDatabase } from '../support/database/database.ts'
import { countStatements, recordStatements } from '../support/database/statements.ts'
import { type Carrier, openCarrier } from '../support/network/carrier.ts'
import { hasNats } from '../support/network/nats.ts'
import { serve, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const appended = `subscription ($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { node { seq content } }
}`

/** So rare that no test can pass by the poll. */
const never = { POLL_MS: '600000' }

const node = (answer: Answer | null) => answer?.data.messageAppended.node

/** A bus and what it heard. */
interface Ear extends AsyncDisposable {
  readonly bus: Bus
  readonly heard: Moved[]
  resumes: number
}

if (!hasNats)
  console.warn(
    'The NATS half of these tests is skipped: there is no nats-server (Debian: apt-get install nats-server).',
  )

const kinds = [
  { kind: 'PostgreSQL', isThere: true },
  { kind: 'NATS', isThere: hasNats },
] as const

describe.each(kinds)('hints over $kind', ({ kind, isThere }) => {
  describe.skipIf(!isThere)(isThere ? 'each of them' : 'skipped, for there is no nats-server', () => {
    let database: TestDatabase
    let carrier: Carrier
    const servers: TestServer[] = []
    const ears: Ear[] = []

    beforeEach(async () => {
      const opened = await openCarrier(kind)
      database = opened.database
      carrier = opened.carrier
    })

    afterEach(async () => {
      await carrier.thaw()
      for (const ear of ears.splice(0)) await ear[Symbol.asyncDispose]()
      for (const server of servers.splice(0)) {
        await server[Symbol.asyncDispose]()
        expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
      }
      await carrier[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    })

    async function start(settings: Record<string, string> = never): Promise<TestServer> {
      const server = await serve(database.url, { ...carrier.settings, ...settings })
      servers.push(server)
      return server
    }

    /** A bus that is connected. Its interests wait for their confirmation as long as a test may take, unless it says less. */
    async function listen(patienceMs = 120_000): Promise<Ear> {
      const bus = carrier.open(patienceMs)
      const ear: Ear = { bus, heard: [], resumes: 0, [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]() }
      ears.push(ear)
      bus.start({
        moved: (hint) => void ear.heard.push(hint),
        said: () => {},
        resumed: () => {
          ear.resumes += 1
        },
      })
      await until(() => ear.resumes === 1)
      return ear
    }

    test('what one publishes, whoever has an interest hears, and itself does not', async () => {
      const [one, two, three] = [await listen(), await listen(), await listen()]
      const key = randomUUID()
      for (const { bus } of [one, two, three]) await bus.interest(key).confirmed
      one.bus.publish({ key, revision: 7 })
      await until(() => two.heard.length + three.heard.length === 2)
      expect([two.heard, three.heard]).toEqual([[{ key, revision: 7 }], [{ key, revision: 7 }]])
      two.bus.publish({ key, revision: 8 })
      await until(() => one.heard.length > 0)
      expect(one.heard).toEqual([{ key, revision: 8 }])
    })

    test('many hints of one key at once are told of as the latest', async () => {
      const [one, two] = [await listen(), await listen()]
      const key = randomUUID()
      await two.bus.interest(key).confirmed
      for (const revision of [3, 999, 12]) one.bus.publish({ key, revision })
      await until(() => two.heard.length > 0)
      expect(two.heard).toEqual([{ key, revision: 999 }])
    })

    test('of conversations that nobody there asked for it hears nothing', async () => {
      const [one, two, three] = [await listen(), await listen(), await listen()]
      const [mine, last] = [randomUUID(), randomUUID()]
      for (const key of [mine, last]) await two.bus.interest(key).confirmed
      await three.bus.interest(last).confirmed
      one.bus.publish({ key: mine, revision: 1 })
      for (let n = 0; n < 2_000; n++) one.bus.publish({ key: randomUUID(), revision: 1 })
      await until(() => two.heard.length > 0)
      one.bus.publish({ key: last, revision: 1 })
      await until(() => two.heard.length > 1 && three.heard.length > 0)
      expect(two.heard.map(({ key }) => key)).toEqual([mine, last])
      expect(three.heard.map(({ key }) => key)).toEqual([last])
    })

    test('an interest that is given up ends, and one that comes back hears again', async () => {
      const [one, two] = [await listen(), await listen()]
      const [key, last] = [randomUUID(), randomUUID()]
      await two.bus.interest(last).confirmed
      let round = 0
      /** Whether it hears of `key`. */
      const hears = async () => {
        round += 1
        const revision = round
        one.bus.publish({ key, revision })
        one.bus.publish({ key: last, revision })
        await until(() => two.heard.some((hint) => hint.key === last && hint.revision === revision))
        return two.heard.some((hint) => hint.key === key && hint.revision === revision)
      }
      for (let time = 0; time < 5; time++) {
        const interest = two.bus.interest(key)
        await interest.confirmed
        expect(await hears()).toBe(true)
        interest[Symbol.dispose]()
        interest[Symbol.dispose]()
        // Gone and back within one turn, whatever was on its way.
        using again = two.bus.interest(key)
        await again.confirmed
        expect(await hears()).toBe(true)
        again[Symbol.dispose]()
        await until(async () => !(await hears()))
      }
    })

    test('whatever is sent after an interest was confirmed is heard', async () => {
      const [one, two] = [await listen(), await listen()]
      const keys = Array.from({ length: 3_000 }, () => randomUUID())
      await Promise.all(
        keys.map(async (key) => {
          await two.bus.interest(key).confirmed
          one.bus.publish({ key, revision: 1 })
        }),
      )
      await until(() => two.heard.length === keys.length)
      expect(new Set(two.heard.map(({ key }) => key))).toEqual(new Set(keys))
    })

    test('after its connection was lost it hears everything that it did before, and says that it missed something', async () => {
      const [one, two] = [await listen(), await listen()]
      const keys = Array.from({ length: 2_500 }, () => randomUUID())
      const interests = keys.map((key) => two.bus.interest(key))
      await Promise.all(interests.map(({ confirmed }) => confirmed))
      interests[0]?.[Symbol.dispose]()
      for (let time = 2; time <= 3; time++) {
        await carrier.cut()
        await until(() => one.resumes === time && two.resumes === time)
        two.heard.length = 0
        for (const key of keys) one.bus.publish({ key, revision: time })
        await until(() => two.heard.length === keys.length - 1)
        expect(two.heard.map(({ key }) => key).sort()).toEqual(keys.slice(1).sort())
      }
    })

    test('while it is away nobody waits for it, and when it is back everything goes on', async () => {
      const [one, two] = [await listen(), await listen()]
      const key = randomUUID()
      await carrier.takeAway()
      one.bus.publish({ key, revision: 5 })
      await two.bus.interest(key).confirmed
      two.bus.interest(randomUUID())[Symbol.dispose]()
      await carrier.bringBack()
      await until(() => one.resumes === 2 && two.resumes === 2)
      one.bus.publish({ key, revision: 6 })
      await until(() => two.heard.some(({ revision }) => revision === 6))
    })

    test('one that does not answer is waited for for a moment, and can be disposed', async () => {
      const one = await listen(100)
      await carrier.freeze()
      await one.bus.interest(randomUUID()).confirmed
      await one[Symbol.asyncDispose]()
    })

    test('one that answers too late says that something may have been missed, and hears from then on', async () => {
      const [one, two] = [await listen(), await listen(100)]
      const key = randomUUID()
      await carrier.freeze()
      await two.bus.interest(key).confirmed
      await carrier.thaw()
      await until(() => two.resumes === 2)
      one.bus.publish({ key, revision: 7 })
      await until(() => two.heard.length > 0)
    })

    test('a feed reads only after its interest was confirmed', async () => {
      const server = await start()
      for (const id of ['c', 'd']) await server.as().append(id, 'first')
      {
        // Its bus is connected by then: nothing of the start is counted below.
        await using warm = server.as().subscribe(appended, { id: 'c', after: '' })
        await warm.take(1)
      }
      await until(() => server.inspect().watchers === 0)
      await carrier.freeze()
      const feed = server.as().subscribe(appended, { id: 'd', after: '' })
      const first = feed.next()
      const sent = await recordStatements(database, async () => {
        await until(() => server.inspect().watchers === 1)
        // One, because the server waits for the confirmation for a second only.
        await server.as().get('{ conversation(id: "d") { lastSeq } }')
      })
      const [lookedUp, asked] = [1, 1]
      expect(sent.filter(({ text }) => !/^(un)?listen /.test(text))).toHaveLength(lookedUp + asked)
      await carrier.thaw()
      expect(node(await first)).toEqual({ seq: 1, content: 'first' })
      await feed[Symbol.asyncDispose]()
    })

    test('two servers: of many conversations and writers, every feed has everything, in order, and nothing by the poll', async () => {
      const [one, two] = [await start(), await start()]
      const ids = Array.from({ length: 20 }, (_, n) => `c${n}`)
      for (const id of ids) await one.as().append(id, 'first')
      const feeds = [one, two].flatMap((server) => ids.map((id) => server.as().subscribe(appended, { id, after: '' })))
      for (const feed of feeds) await feed.take(1)
      await Promise.all(
        ids.flatMap((id) => [one, two].flatMap((server) => [1, 2, 3].map(() => server.as().append(id, 'more')))),
      )
      for (const feed of feeds) {
        expect((await feed.take(6)).map((answer) => node(answer).seq)).toEqual([2, 3, 4, 5, 6, 7])
        await feed[Symbol.asyncDispose]()
      }
    })

    test('two servers: an append right after the first message of a feed is never lost', async () => {
      const [one, two] = [await start(), await start()]
      for (let n = 0; n < 50; n++) {
        await one.as().append(`c${n}`, 'first')
        await using feed = two.as().subscribe(appended, { id: `c${n}`, after: '' })
        await feed.take(1)
        await one.as().append(`c${n}`, 'second')
        expect(node(await feed.next())).toEqual({ seq: 2, content: 'second' })
      }
    })

    test('two servers, the bus away for a while: feeds go on by the poll, and begin without delay', async () => {
      const [one, two] = [await start({ POLL_MS: '20' }), await start({ POLL_MS: '20' })]
      await one.as().append('c', 'first')
      await warm([one, two])
      await using feed = two.as().subscribe(appended, { id: 'c', after: '' })
      await feed.take(1)
      await carrier.takeAway()
      for (let seq = 2; seq <= 10; seq++) {
        await one.as().append('c', `${seq}`)
        expect(node(await feed.next())).toEqual({ seq, content: `${seq}` })
      }
      await using late = two.as().subscribe(appended, { id: 'c', after: '' })
      expect((await late.take(10)).map((answer) => node(answer).seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      await carrier.bringBack()
      await one.as().append('c', '11')
      expect([node(await feed.next()), node(await late.next())]).toEqual(Array(2).fill({ seq: 11, content: '11' }))
    })

    test('two servers, the bus away for a while: what was missed comes when it is back, without the poll', async () => {
      const [one, two] = [await start(), await start()]
      await one.as().append('c', 'first')
      await warm([one, two])
      await using feed = two.as().subscribe(appended, { id: 'c', after: '' })
      await feed.take(1)
      await carrier.takeAway()
      await one.as().append('c', 'second')
      await one.as().append('c', 'third')
      await carrier.bringBack()
      expect((await feed.take(2)).map((answer) => node(answer).content)).toEqual(['second', 'third'])
      await one.as().append('c', 'fourth')
      expect(node(await feed.next())).toEqual({ seq: 4, content: 'fourth' })
    })

    test('100,000 junk hints cost a bounded number of statements, and no feed is wrong', async () => {
      const [one, two] = [await start(), await start()]
      await one.as().append('c', 'first')
      await using feed = two.as().subscribe(appended, { id: 'c', after: '' })
      await feed.take(1)
      const client = await database.connect()
      const { rows } = await client.query('select key::text from conversation')
      const [{ key }] = rows
      await client.end()
      const others = Array.from({ length: 30_000 }, () => randomUUID())
      const nonsense = Array.from({ length: 30_000 }, (_, n) => `${n}e${n}`)
      const past = Array.from({ length: 10_000 }, (_, n) => `${-n}`)
      const future = Array.from({ length: 30_000 }, (_, n) => `${999_999_999_999_999 - n}`)
      const count = await countStatements(database, async () => {
        await carrier.shout(others, ['999'])
        await carrier.shout([key], [...nonsense, ...past, ...future])
        await one.as().append('c', 'second')
        expect(node(await feed.next())).toEqual({ seq: 2, content: 'second' })
        await one.as().append('c', 'third')
        expect(node(await feed.next())).toEqual({ seq: 3, content: 'third' })
      })
      const appends = 2
      const reads = 2
      // What is heard while a feed reads is one more read together.
      expect(count).toBeLessThan(appends + reads + 200)
    })

    /** Opens as many connections of their pools as the test will use at once. */
    async function warm(some: readonly TestServer[]): Promise<void> {
      const queries = some.flatMap((server) =>
        Array.from({ length: 8 }, () => server.as().get('{ conversation(id: "c") { lastSeq } }')),
      )
      await Promise.all(queries)
    }
  })
})
