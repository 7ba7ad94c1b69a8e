import { beforeAll, describe, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { countStatements } from '../support/database/statements.ts'

const create =
  'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { conversation { updatedAt } } }'
const archive = 'mutation ($id: ID!) { updateConversation(input: { id: $id, archived: true }) { conversation { id } } }'
const list = `query ($filter: ConversationFilter, $first: Int, $after: String, $last: Int, $before: String) {
  conversations(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    nodes { id lastMessage { seq } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

interface Page {
  readonly nodes: readonly { readonly id: string; readonly lastMessage: { readonly seq: number } | null }[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

async function read(as: Api, variables: object): Promise<Page> {
  return (await as.get(list, variables)).conversations
}

const idsOf = ({ nodes }: Page) => nodes.map(({ id }) => id)

describe('a list with a filter', () => {
  const bed = useBed()
  const ada = () => bed.server.as()
  const times: string[] = []

  beforeAll(async () => {
    for (let i = 0; i < 24; i++) {
      const metadata = {
        n: i,
        kind: i % 3 === 0 ? 'a' : 'b',
        tags: [`t${i % 4}`, 'all'],
        deep: { even: i % 2 === 0, x: null },
      }
      const { createConversation } = await ada().get(create, { input: { id: `c${i}`, metadata } })
      times.push(createConversation.conversation.updatedAt)
    }
    for (let i = 0; i < 24; i += 5) await ada().get(archive, { id: `c${i}` })
    await ada().append('c23', 'newest of all')
    await bed.server.as({ 'x-user-id': 'bob' }).get(create, { input: { id: 'his', metadata: { kind: 'a' } } })
  })

  const archived = ['c20', 'c15', 'c10', 'c5', 'c0']

  test('holds those whose metadata contains what is given, at any depth, and no others', async () => {
    const matching = async (metadata: object) => new Set(idsOf(await read(ada(), { filter: { metadata }, first: 100 })))
    const ids = (isWanted: (i: number) => boolean) =>
      new Set(
        Array.from({ length: 24 }, (_, i) => i)
          .filter(isWanted)
          .map((i) => `c${i}`),
      )
    expect(await matching({ kind: 'a' })).toEqual(ids((i) => i % 3 === 0))
    expect(await matching({ n: 7 })).toEqual(new Set(['c7']))
    expect(await matching({ n: '7' })).toEqual(new Set())
    expect(await matching({ tags: ['t1'] })).toEqual(ids((i) => i % 4 === 1))
    expect(await matching({ deep: { even: true }, kind: 'a' })).toEqual(ids((i) => i % 6 === 0))
    expect(await matching({ deep: { x: null } })).toEqual(ids(() => true))
    expect(await matching({ deep: null })).toEqual(new Set())
    expect(await matching({ 'a "quoted", {key}': '\\' })).toEqual(new Set())
    expect(await matching({})).toEqual(ids(() => true))
  })

  test('holds archived ones, others, or both', async () => {
    expect(idsOf(await read(ada(), { filter: { archived: true } }))).toEqual(archived)
    const others = idsOf(await read(ada(), { filter: { archived: false } }))
    expect(others).toHaveLength(19)
    expect(others.filter((id) => archived.includes(id))).toEqual([])
    expect(idsOf(await read(ada(), { filter: { archived: null } }))).toHaveLength(24)
  })

  test('holds those that changed after a time, to the microsecond', async () => {
    const all = idsOf(await read(ada(), {}))
    const after = async (updatedAfter: string | undefined) => idsOf(await read(ada(), { filter: { updatedAfter } }))
    expect(await after(times[22])).toEqual(all.slice(0, 6))
    expect(await after(times[21])).toEqual(all.slice(0, 7))
    expect(await after('2100-01-01T00:00:00Z')).toEqual([])
    expect(await after('2000-01-01T00:00:00+02:00')).toEqual(all)
  })

  test('takes all of it together, and null as absent', async () => {
    const metadata = { kind: 'b' }
    const some = { metadata, archived: true, updatedAfter: times[0] }
    expect(idsOf(await read(ada(), { filter: some }))).toEqual(['c20', 'c10', 'c5'])
    const none = { metadata: null, archived: null, updatedAfter: null }
    for (const filter of [null, {}, none]) expect(idsOf(await read(ada(), { filter }))).toHaveLength(24)
  })

  test('is paged both ways, each conversation once', async () => {
    const filter = { metadata: { kind: 'b' }, archived: false }
    const wanted = idsOf(await read(ada(), { filter, first: 100 }))
    expect(wanted).toHaveLength(13)
    for (const size of [1, 4, 12, 13, 14]) {
      const forward: string[] = []
      for (let after: string | null = null; ; ) {
        const page: Page = await read(ada(), { filter, first: size, after })
        expect(page.pageInfo.hasPreviousPage).toBe(forward.length > 0)
        forward.push(...idsOf(page))
        if (!page.pageInfo.hasNextPage) break
        after = page.pageInfo.endCursor
      }
      expect(forward).toEqual(wanted)
      const backward: string[] = []
      for (let before: string | null = null; ; ) {
        const page: Page = await read(ada(), { filter, last: size, before })
        expect(page.pageInfo.hasNextPage).toBe(backward.length > 0)
        backward.unshift(...idsOf(page))
        if (!page.pageInfo.hasPreviousPage) break
        before = page.pageInfo.startCursor
      }
      expect(backward).toEqual(wanted)
    }
  })

  test.each([
    ['many', { metadata: { kind: 'b' }, archived: false }],
    ['one in the middle', { metadata: { n: 7 } }],
    ['none', { metadata: { n: -7 } }],
  ])('has exact ends from every place of the whole list: %s', async (_name, filter) => {
    const all = (await ada().get('{ conversations { edges { cursor node { id } } } }')).conversations.edges
    const wanted = idsOf(await read(ada(), { filter, first: 100 }))
    const ids: string[] = all.map(({ node }: { node: { id: string } }) => node.id)
    for (const [at, { cursor }] of all.entries()) {
      const isIn = wanted.includes(ids[at] as string)
      const older = ids.slice(at + 1).filter((id) => wanted.includes(id))
      const newer = ids.slice(0, at).filter((id) => wanted.includes(id))
      const down = await read(ada(), { filter, first: 2, after: cursor })
      expect(idsOf(down)).toEqual(older.slice(0, 2))
      expect(down.pageInfo.hasNextPage).toBe(older.length > 2)
      expect(down.pageInfo.hasPreviousPage).toBe(newer.length > 0 || isIn)
      const up = await read(ada(), { filter, last: 2, before: cursor })
      expect(idsOf(up)).toEqual(newer.slice(-2))
      expect(up.pageInfo.hasPreviousPage).toBe(newer.length > 2)
      expect(up.pageInfo.hasNextPage).toBe(older.length > 0 || isIn)
    }
  })

  test('is one statement, and so are lists with different filters that are asked for at once', async () => {
    const two = `{ a: conversations(filter: { metadata: { n: 23 } }) { nodes { id lastMessage { seq } } }
      b: conversations(filter: { archived: true }, first: 2) { nodes { id } } }`
    expect(await countStatements(bed.database, () => ada().get(list, { filter: { archived: true } }))).toBe(1)
    expect(await ada().get(two)).toEqual({
      a: { nodes: [{ id: 'c23', lastMessage: { seq: 1 } }] },
      b: { nodes: [{ id: 'c20' }, { id: 'c15' }] },
    })
  })

  test("5 isolated: shows only what is the viewer's own, whatever it asks for", async () => {
    const bob = bed.server.as({ 'x-user-id': 'bob' })
    for (const filter of [{ metadata: { kind: 'a' } }, { archived: false }, { updatedAfter: times[0] }]) {
      expect(idsOf(await read(bob, { filter }))).toEqual(['his'])
    }
    const page = await read(bob, { filter: { metadata: { kind: 'b' } } })
    expect(page).toEqual({
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    })
  })

  test('has as much metadata as a conversation may have', async () => {
    const metadata = (bytes: number) => ({ a: 'x'.repeat(bytes - JSON.stringify({ a: '' }).length) })
    expect(idsOf(await read(ada(), { filter: { metadata: metadata(16_384) } }))).toEqual([])
    const error = await ada().fail(list, { filter: { metadata: metadata(16_385) } })
    expect(error.extensions).toEqual({
      code: 'PAYLOAD_TOO_LARGE',
      path: 'filter.metadata',
      limit: 16_384,
      actual: 16_385,
    })
  })
})

describe('the bytes of a list with a filter', () => {
  const bed = useBed({ MAX_ANSWER_BYTES: '4096' })

  test('count only what is in it, and are refused as those of any list', async () => {
    const ada = bed.server.as()
    for (let i = 0; i < 12; i++) {
      const metadata = { kind: i % 2, text: 'x'.repeat(1_000) }
      await ada.get(create, { input: { id: `c${i}`, metadata } })
    }
    const filter = { metadata: { kind: 1 } }
    expect(idsOf(await read(ada, { filter, first: 3 }))).toEqual(['c11', 'c9', 'c7'])
    expect((await ada.fail(list, { filter, first: 5 })).extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      path: 'conversations',
      limit: 4096,
    })
    expect(idsOf(await read(ada, { filter: { metadata: { kind: 2 } } }))).toEqual([])
  })
})

describe('a filter by title', () => {
  const bed = useBed()
  const ada = () => bed.server.as()
  const titles = ['Ein Café in Zürich', 'CAFE', 'caf', 'Прогулка', '100% _sure_']

  beforeAll(async () => {
    for (const title of titles) await ada().get(create, { input: { id: title, title } })
    await ada().get(create, { input: { id: 'none' } })
  })

  test('finds titles that contain the text, whatever their case and accents', async () => {
    const found = async (title: string) => idsOf(await read(ada(), { filter: { title } })).sort()
    expect(await found('café')).toEqual(['CAFE', 'Ein Café in Zürich'])
    expect(await found('ZURICH')).toEqual(['Ein Café in Zürich'])
    expect(await found('прогулка')).toEqual(['Прогулка'])
    expect(await found('%')).toEqual(['100% _sure_'])
    expect(await found('_')).toEqual(['100% _sure_'])
    expect(await found('x')).toEqual([])
    expect(await found('')).toEqual([...titles].sort())
  })

  test('pages as every list does', async () => {
    const first = await read(ada(), { filter: { title: 'caf' }, first: 2 })
    expect(first.pageInfo).toMatchObject({ hasNextPage: true })
    const next = await read(ada(), { filter: { title: 'caf' }, first: 2, after: first.pageInfo.endCursor })
    expect(idsOf(next)).toEqual(['Ein Café in Zürich'])
    expect(next.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  })

  test('takes a title of 1000 characters, and no longer one', async () => {
    expect(idsOf(await read(ada(), { filter: { title: 'x'.repeat(1_000) } }))).toEqual([])
    const error = await ada().fail(list, { filter: { title: 'x'.repeat(1_001) } })
    expect(error.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'filter.title' })
  })
})
