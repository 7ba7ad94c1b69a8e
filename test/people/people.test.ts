import { randomUUID } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { ConversationPeople, mostPeople } from '../../src/live/people/conversation-people.ts'
import { markersPerTick, mostNotes, mostSeen, mostServers, People } from '../../src/live/people/people.ts'
import type { Note } from '../../src/live/people/people-note.ts'
import { listKey } from '../../src/storage/conversation/conversation-key.ts'
import { until } from '../support/until.ts'

/* One server, with a bus and feeds of the test's own: what it forgets, and what it holds and does at most. */

const times = { tickMs: 1, beatMs: 60_000, goneMs: 60_000, graceMs: 60_000, typingMs: 60_000, markersMs: 60_000 }

/** A bus that opens when a test says so, and what was said on it; and the conversations whose feeds were told. */
class Surroundings {
  isOpen = false
  readonly said: string[] = []
  /** By tick. */
  readonly stirred: string[][] = []
  #isTick = false

  get maySay(): boolean {
    return this.isOpen
  }

  say(text: string): void {
    this.said.push(text)
  }

  get notes(): Note[] {
    return this.said.flatMap((text) => JSON.parse(text).slice(2))
  }

  watches(): boolean {
    return true
  }

  /** By list: of which conversations it was told. */
  readonly told = new Map<string, readonly string[]>()

  stir(key: string, _moved: number, keys: readonly string[] = []): void {
    if (keys.length > 0) this.told.set(key, keys)
    if (!this.#isTick) {
      this.stirred.push([])
      queueMicrotask(() => {
        this.#isTick = false
      })
    }
    this.#isTick = true
    this.stirred.at(-1)?.push(key)
  }
}

const opened: People[] = []

afterEach(async () => {
  for (const people of opened.splice(0)) await people[Symbol.asyncDispose]()
})

function open(differing: Partial<typeof times> = {}): { around: Surroundings; people: People } {
  const around = new Surroundings()
  const people = new People(around, around, { ...times, ...differing })
  opened.push(people)
  return { around, people }
}

/** What another server says. */
const saying = (server: string, ...notes: Note[]) => JSON.stringify([server, false, ...notes])

test('of a server that says nothing for too long nobody is here, and once it is heard again it is asked who is', async () => {
  const { around, people } = open({ goneMs: 50 })
  around.isOpen = true
  people.enter('key', 'ada')
  people.hear(saying('other', ['here', 'key', 'grace']))
  expect(people.of('key')?.present).toEqual(['ada', 'grace'])
  await until(() => people.of('key')?.present.length === 1)
  expect(people.of('key')?.present).toEqual(['ada'])
  const asked = () => around.notes.filter(([what]) => what === 'who').length
  await until(() => asked() === 1)
  people.hear(saying('other'))
  await until(() => asked() === 2)
})

test('after its line was lost it asks who is there, and forgets whoever is not told again', async () => {
  const { around, people } = open({ graceMs: 50 })
  people.enter('key', 'ada')
  people.hear(saying('other', ['here', 'key', 'grace'], ['here', 'key', 'kim']))
  around.isOpen = true
  people.resumed()
  people.hear(saying('other', ['here', 'key', 'kim']))
  expect(people.of('key')?.present).toEqual(['ada', 'grace', 'kim'])
  await until(() => people.of('key')?.present.length === 2)
  expect(people.of('key')?.present).toEqual(['ada', 'kim'])
  expect(around.notes).toEqual([
    ['who', 'key'],
    ['here', 'key', 'ada'],
  ])
})

test('a server whose line was lost says so with the rest, and what it said before is forgotten', async () => {
  const { around, people } = open({ graceMs: 50 })
  around.isOpen = true
  people.enter('key', 'ada')
  await until(() => around.said.length === 1)
  people.resumed()
  await until(() => around.said.length === 2)
  const [, isFresh, ...notes] = JSON.parse(around.said[1] as string)
  expect([isFresh, notes]).toEqual([
    true,
    [
      ['who', 'key'],
      ['here', 'key', 'ada'],
    ],
  ])
  people.hear(saying('other', ['here', 'key', 'grace']))
  people.hear(saying('another', ['here', 'key', 'judy']))
  people.hear(JSON.stringify(['other', true, ['here', 'key', 'kim']]))
  await until(() => people.of('key')?.present.length === 3)
  expect(people.of('key')?.present).toEqual(['ada', 'judy', 'kim'])
})

test('whoever types no more, and does not say so, types no more after a while, here and elsewhere', async () => {
  const { people } = open({ typingMs: 50 })
  people.enter('key', 'ada')
  people.types('key', 'ada', 'USER', 1)
  people.hear(saying('other', ['typing', 'key', 'grace', 'USER', 1]))
  expect(people.of('key')?.typing).toEqual(['ada', 'grace'])
  await until(() => people.of('key')?.typing.length === 0)
})

test('what was typed before a message that is known already is not told after it', () => {
  const { people } = open()
  people.enter('key', 'ada')
  people.wrote('key', 'grace', 'USER', 5)
  // Another feed reads an older message.
  people.wrote('key', 'grace', 'USER', 3)
  // Her agent wrote, and not she.
  people.wrote('key', 'kim', 'AGENT', 5)
  const typing = (userId: string, seq: number) => {
    people.hear(saying('other', ['typing', 'key', userId, 'USER', seq]))
    return people.of('key')?.typing
  }
  expect(typing('grace', 4)).toEqual([])
  expect(typing('kim', 4)).toEqual(['kim'])
  expect(typing('grace', 5)).toEqual(['grace', 'kim'])
  people.wrote('key', 'kim', 'AGENT', 6)
  expect(people.of('key')?.typing).toEqual(['grace', 'kim'])
})

test('markers that move again and again are told once in their time, and once more at the end', async () => {
  const { around, people } = open()
  for (let n = 0; n < 50; n++) people.read('often')
  await until(() => around.stirred.flat().includes('often'))
  people.read('often')
  for (let n = 0; n < 10; n++) {
    people.enter(`${n}`, 'ada')
    await until(() => around.stirred.flat().includes(`${n}`))
  }
  expect(around.stirred.flat().filter((key) => key === 'often')).toHaveLength(1)
  const soon = open({ markersMs: 20 })
  soon.people.read('often')
  await until(() => soon.around.stirred.length === 1)
  soon.people.read('often')
  await until(() => soon.around.stirred.length === 2)
})

test('one timer runs while people are here, and none while nobody is', () => {
  const { around, people } = open()
  around.isOpen = true
  let timer: (() => void) | null = null
  const set = vi.spyOn(globalThis, 'setTimeout').mockImplementation((run) => {
    timer = run as () => void
    return { unref: () => ({}) } as NodeJS.Timeout
  })
  const tick = () => {
    const run = timer
    timer = null
    run?.()
  }
  const presence = people.enter('key', 'ada')
  tick()
  tick()
  expect([around.notes.length, timer]).toEqual([2, expect.any(Function)])
  presence[Symbol.dispose]()
  tick()
  expect([around.notes.length, timer]).toEqual([3, null])
  set.mockRestore()
})

test('while the bus is away so many markers wait for it, and who is here does in any case', async () => {
  const { around, people } = open()
  const keys = Array.from({ length: mostNotes + 1 }, () => randomUUID())
  for (const key of keys) people.read(key)
  people.enter('key', 'ada')
  around.isOpen = true
  people.resumed()
  await until(() => around.notes.some(([what]) => what === 'here'))
  expect(around.notes.filter(([what]) => what === 'read').map(([, key]) => key)).toEqual(keys.slice(0, mostNotes))
})

test('the markers of so many conversations are told at once, and those of the others next', async () => {
  const { around, people } = open()
  const keys = Array.from({ length: markersPerTick + 1 }, () => randomUUID())
  for (const key of keys) people.read(key)
  await until(() => around.stirred.length === 2)
  expect(around.stirred).toEqual([keys.slice(0, markersPerTick), keys.slice(markersPerTick)])
})

test('a list is told once of each conversation in which its user has read on, and of so many at once', async () => {
  const { around, people } = open()
  const keys = Array.from({ length: mostSeen }, (_, index) => `${index}`)
  for (const key of [...keys, '0', 'one more']) people.seen('ada', key)
  people.hear(saying('other', ['seen', listKey('grace'), 'key']))
  await until(() => around.told.size === 2)
  expect(around.told.get(listKey('ada'))).toEqual(keys)
  expect(around.told.get(listKey('grace'))).toEqual(['key'])
})

test('so many servers are heard, and no more', () => {
  const { people } = open()
  people.enter('key', 'ada')
  for (let n = 1; n <= mostServers + 1; n++) people.hear(JSON.stringify([`${n}`, false, ['here', 'key', `of ${n}`]]))
  const present = people.of('key')?.present
  expect(present).toHaveLength(mostServers + 1)
  expect(present).toContain(`of ${mostServers}`)
})

test('so many people of a server, and so many who type, are held of a conversation', () => {
  const people = new ConversationPeople()
  for (let n = 1; n < mostPeople; n++) people.isOn('server', `${n}`)
  expect(['last', 'one more', 'last'].map((user) => people.isOn('server', user))).toEqual([true, false, false])
  expect(people.present).toHaveLength(mostPeople)
  const typing = { until: 1, kind: 'USER', seq: 0 } as const
  for (let n = 1; n < mostPeople; n++) people.types(`${n}`, typing)
  expect(['last', 'one more'].map((user) => people.types(user, typing))).toEqual([true, false])
  expect(people.typing).toHaveLength(mostPeople)
})
