import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { ConversationPeople, mostPeople } from '../../src/live/people/conversation-people.ts'
import { markersPerTick, mostNotes, mostServers, People } from '../../src/live/people/people.ts'
import type { Note } from '../../src/live/people/people-note.ts'
import { until } from '../support/until.ts'

/* What is held and done at most, whatever callers and other servers do. */

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

  interest() {
    return { confirmed: Promise.resolve(), [Symbol.dispose]: () => {} }
  }

  watches(): boolean {
    return true
  }

  stir(key: string): void {
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

function open(): { around: Surroundings; people: People } {
  const around = new Surroundings()
  const people = new People(around, around, times)
  opened.push(people)
  return { around, people }
}

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
