import type { EntityManager } from '@mikro-orm/postgresql'
import type { JWTPayload } from 'jose'
import type { Client } from 'pg'
import { pino } from 'pino'
import { beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openOrm } from '../../src/database/orm.ts'
import type { Person } from '../../src/entities/person.ts'
import { storePerson } from '../../src/storage/person/person.ts'
import { PersonKeeper } from '../../src/storage/person/person-keeper.ts'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { recordStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { until } from '../support/until.ts'
import * as identities from './identities.ts'

/* How users are called, and what they look like, is what their tokens say. */

const bed = useBed(identities.identitySettings)

const user = async (userId: string, said: JWTPayload = {}, scope = '', actsFor?: string) => {
  return bed.server.as(await identities.user(userId, scope, actsFor, said))
}
const backend = (name: 'helper' | 'desk', userId: string) => bed.server.as(identities.backend(name, userId))

const dot = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='
const ada = { name: 'Ada Lovelace', picture: dot }
const me = '{ viewer { name picture } }'

const add = `mutation ($id: ID!, $userId: String!) {
  addParticipant(input: { conversationId: $id, userId: $userId }) { conversation { id } }
}`
const people = 'query ($id: ID!) { conversation(id: $id) { participants { nodes { userId name picture } } } }'

let client: Client

beforeAll(async () => {
  client = await bed.database.connect()
})

/** The name that is stored of a user; undefined: nothing is. */
async function storedNameOf(userId: string): Promise<string | null | undefined> {
  const { rows } = await client.query('select name as seen from person where user_id = $1', [userId])
  return rows[0]?.seen
}

const untilStored = (userId: string) => until(async () => (await storedNameOf(userId)) !== undefined)

test('a token brings the name and the picture of its user, for those who meet it in a conversation', async () => {
  const [owner, grace] = [await user('ada', ada), await user('grace', { preferred_username: 'grace' }, 'colloquy:read')]
  await owner.append('team', 'hello')
  await owner.get(add, { id: 'team', userId: 'grace' })
  await owner.get(add, { id: 'team', userId: 'nobody' })
  expect(await owner.get(me)).toEqual({ viewer: ada })
  expect(await grace.get(me)).toEqual({ viewer: { name: 'grace', picture: null } })
  expect(await (await user('plain')).get(me)).toEqual({ viewer: { name: null, picture: null } })
  await untilStored('grace')
  expect((await owner.get(people, { id: 'team' })).conversation.participants.nodes).toEqual([
    { userId: 'ada', ...ada },
    { userId: 'grace', name: 'grace', picture: null },
    { userId: 'nobody', name: null, picture: null },
  ])
  const list = '{ conversations { nodes { userId ownerName } } }'
  expect((await grace.get(list)).conversations.nodes).toEqual([{ userId: 'ada', ownerName: 'Ada Lovelace' }])
  expect(await backend('helper', 'ada').get(me)).toEqual({ viewer: ada })
})

test('a message keeps the name that its author had, and a backend has its own and no picture', async () => {
  await (await user('old', { name: 'Old', picture: dot })).append('named', 'one')
  await (await user('old', { name: 'New', picture: 'https://a.example/new.png' })).append('named', 'two')
  await until(async () => (await storedNameOf('old')) === 'New')
  await backend('helper', 'old').append('named', { role: 'ASSISTANT', content: 'three', name: 'Bot' })
  const root = await user('root', { name: 'Root' }, 'colloquy:operator', 'old')
  await root.append('named', 'four')
  expect(await root.get(me)).toEqual({ viewer: { name: 'New', picture: 'https://a.example/new.png' } })
  await untilStored('root')
  const authors = '{ conversation(id: "named") { messages { nodes { author { userId kind name picture } } } } }'
  const { nodes } = (await (await user('old')).get(authors)).conversation.messages
  const picture = 'https://a.example/new.png'
  expect(nodes.map(({ author }: { author: unknown }) => author)).toEqual([
    { userId: 'old', kind: 'USER', name: 'Old', picture },
    { userId: 'old', kind: 'USER', name: 'New', picture },
    { userId: 'old', kind: 'AGENT', name: 'helper', picture: null },
    { userId: 'root', kind: 'USER', name: 'Root', picture: null },
  ])
})

test('whoever supports is told how the owner of what waits is called', async () => {
  await (await user('guest', { name: 'Guest' })).append('lamp', 'broken')
  await untilStored('guest')
  const guest = await user('guest')
  await guest.get('mutation { waitForPerson(input: { conversationId: "lamp" }) { __typename } }')
  const waiting = '{ waitingConversations { nodes { ownerId ownerName } } }'
  expect((await backend('desk', 'sue').get(waiting)).waitingConversations.nodes).toEqual([
    { ownerId: 'guest', ownerName: 'Guest' },
  ])
})

const long = (count: number, of = '😀') => of.repeat(count)
const data = (length: number) => dot.padEnd(length, 'A')

test.each<[what: string, claims: JWTPayload, name: string | null, picture: string | null]>([
  ['a name of 255 characters, a picture of 2,048', { name: long(255), picture: data(2_048) }, long(255), data(2_048)],
  ['a name of 256 characters, a picture of 2,049', { name: long(256), picture: data(2_049) }, null, null],
  ['a name that is none beside another one', { name: ' ', preferred_username: 'p' }, 'p', null],
  ['a name and another one', { name: 'n', preferred_username: 'p' }, 'n', null],
  ['what is no text', { name: 5, preferred_username: ['p'], picture: { url: 'https://a.example' } }, null, null],
  ['what cannot be stored', { name: 'a\0', preferred_username: '\ud800', picture: 'https://a.example/\0' }, null, null],
  ['a name of two lines', { name: 'a\nb' }, null, null],
  ['a picture that is loaded openly', { picture: 'http://a.example/a.png' }, null, null],
  ['a picture that is a script', { picture: 'javascript:alert(1)' }, null, null],
  ['a picture that is a document', { picture: 'data:text/html,x' }, null, null],
  ['a picture that is no URL', { picture: 'https://' }, null, null],
  ['a picture alone', { picture: 'https://a.example/a.png' }, null, 'https://a.example/a.png'],
])('a token is good with %s', async (what, claims, name, picture) => {
  expect(await (await user(`with ${what}`, claims)).get(me)).toEqual({ viewer: { name, picture } })
})

test('nobody finds the name of whom it meets nowhere', async () => {
  await (await user('hidden', { name: 'Hidden' })).append('own', 'x')
  await untilStored('hidden')
  const stranger = await user('stranger')
  const asked = '{ node(id: "usr_hidden") { id ... on Viewer { name picture } } conversation(id: "own") { ownerName } }'
  expect(await stranger.get(asked)).toEqual({ node: null, conversation: null })
})

describe('what it costs', () => {
  /** Without the looks of the test. */
  const ofPerson = ({ text }: { text: string }) => /\bperson\b/.test(text) && !text.includes('as seen')

  test('one statement stores what is new, and a further request of the same token has none', async () => {
    const one = await user('counted', { name: 'Counted', picture: dot })
    const first = await recordStatements(bed.database, async () => {
      await one.append('counted', 'x')
      await untilStored('counted')
    })
    expect(first.filter(ofPerson).map(({ text }) => text.slice(0, 6))).toEqual(['insert'])
    const write = async (api: typeof one) => {
      await api.append('counted', 'x')
      const page = '{ conversation(id: "counted") { messages { nodes { content author { userId kind name } } } } }'
      await api.get(page)
      await api.get('{ conversations { nodes { title } } }')
    }
    await write(one)
    const named = await recordStatements(bed.database, () => write(one))
    const nameless = await recordStatements(bed.database, async () => write(await user('counted')))
    expect(named.map(({ text }) => text)).toEqual(nameless.map(({ text }) => text))
    expect(named.filter(ofPerson)).toEqual([])
  })

  test('all names and pictures of a page take one statement', async () => {
    const api = await user('reader')
    for (const id of ['r1', 'r2']) {
      await api.append(id, 'x')
      await api.get(add, { id, userId: `member of ${id}` })
    }
    for (const asked of [
      '{ conversation(id: "r1") { participants { nodes { name picture } } } }',
      '{ conversation(id: "r1") { messages { nodes { author { picture } } } } }',
      '{ conversations { nodes { ownerName } } }',
      '{ viewer { name picture } }',
    ]) {
      const sent = await recordStatements(bed.database, () => api.get(asked))
      expect([asked, sent.filter(ofPerson).length]).toEqual([asked, 1])
    }
  })

  test('no request waits for it', async () => {
    const holder = await bed.database.connect()
    await holder.query('begin')
    await holder.query('lock table person in exclusive mode')
    const slow = await user('slow', { name: 'Slow' })
    await slow.append('slow', 'x')
    await untilWaiting(bed.database)
    await holder.query('commit')
    await untilStored('slow')
  })
})

test('the token that was issued last says what holds', async () => {
  const { pool } = readConfig({})
  await using opened = await openOrm(bed.database.url, engine, pool, () => {})
  const say = (name: string, saidAt: string) =>
    storePerson(opened.orm.em, { userId: 'twice', name, picture: null, saidAt: `2026-01-01T00:00:${saidAt}Z` })
  const told: unknown[] = []
  for (const [name, saidAt] of [
    ['first', '10'],
    ['older', '09'],
    ['same time', '10'],
    ['newer', '11'],
  ] as const) {
    await say(name, saidAt)
    told.push(await storedNameOf('twice'))
  }
  expect(told).toEqual(['first', 'first', 'same time', 'newer'])
})

describe('a keeper', () => {
  const person = (userId: string, name = userId, saidAt = '2026-01-01T00:00:00.000Z'): Person => {
    return { userId, name, picture: null, saidAt }
  }

  /** On a database that stores what a test lets it store. */
  function open() {
    const state = { now: 0, fails: false, stored: [] as string[], warned: 0 }
    const upsert = async (_entity: unknown, { name }: Person) => {
      if (state.fails) throw new Error('no')
      state.stored.push(name ?? '')
    }
    const em = { fork: () => ({ upsert }) } as unknown as EntityManager
    const log = pino({ level: 'warn' }, { write: () => void state.warned++ })
    return { state, keeper: new PersonKeeper({ em }, log, () => state.now) }
  }

  const settled = (keeper: PersonKeeper) => keeper[Symbol.asyncDispose]()

  test('stores each once, what is new again, and what an older token says never', async () => {
    const { state, keeper } = open()
    for (const name of ['a', 'a', 'b']) keeper.meet(person('ada', name))
    keeper.meet(person('ada', 'older', '2025-12-31T00:00:00.000Z'))
    keeper.meet(person('ada', 'newer', '2026-01-01T00:00:01.000Z'))
    await settled(keeper)
    expect(state.stored).toEqual(['a', 'b', 'newer'])
  })

  test('rests after a failure, says so once, and then tries again', async () => {
    const { state, keeper } = open()
    state.fails = true
    keeper.meet(person('ada'))
    keeper.meet(person('grace'))
    await settled(keeper)
    state.fails = false
    state.now = 29_999
    keeper.meet(person('ada'))
    await settled(keeper)
    expect([state.stored, state.warned]).toEqual([[], 1])
    state.now = 30_000
    for (const userId of ['ada', 'grace']) keeper.meet(person(userId))
    await settled(keeper)
    expect([state.stored, state.warned]).toEqual([['ada', 'grace'], 1])
  })

  test('remembers 10,000 users, those that came last', async () => {
    const { state, keeper } = open()
    const meetAll = async (count: number) => {
      for (let n = 0; n < count; n++) keeper.meet(person(`u${n}`))
      await settled(keeper)
      return state.stored.splice(0).length
    }
    expect(await meetAll(10_000)).toBe(10_000)
    expect(await meetAll(10_000)).toBe(0)
    for (const userId of ['one more', 'u9999', 'u1', 'u0']) keeper.meet(person(userId))
    await settled(keeper)
    expect(state.stored).toEqual(['one more', 'u0'])
  })

  test('takes no more than 10,000 at once; the others are stored when they come again', async () => {
    const { state, keeper } = open()
    for (let n = 0; n <= 10_000; n++) keeper.meet(person(`u${n}`))
    await settled(keeper)
    expect(state.stored).toHaveLength(10_000)
    keeper.meet(person('u10000'))
    await settled(keeper)
    expect(state.stored.at(-1)).toBe('u10000')
  })
})
