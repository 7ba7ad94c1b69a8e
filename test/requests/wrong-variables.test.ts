import { GraphQLBoolean, GraphQLEnumType, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString } from 'graphql'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const bed = useBed()

const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
const message = { role: 'USER', content: 'x' }
const inputOf = (more: object) => ({ input: { conversationId: 'c', ifMissing: 'CREATE', message: more } })
const long = (letter: string) => letter.repeat(100_000)
const unknownKeys = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [long('k') + index, 1]))

describe('an error shows no more than the beginning of what a caller sent, and suggests no name', () => {
  test.each([
    ['a value of an enum', inputOf({ ...message, role: long('U') }), 'input.message.role'],
    ['a near value of an enum', inputOf({ ...message, role: 'USERS' }), 'input.message.role'],
    ['unknown fields', inputOf({ ...message, ...unknownKeys }), 'input.message'],
    ['a near field', inputOf({ ...message, contents: 'x' }), 'input.message'],
    ['a time', inputOf({ ...message, sentAt: long('1') }), 'input.message.sentAt'],
    ['a text that is an object', inputOf({ ...message, name: unknownKeys }), 'input.message.name'],
  ])('%s', async (_what, variables, path) => {
    const { errors } = await bed.server.as().ask(append, variables)
    await using wire = await Wire.open(bed.server.url)
    expect((await wire.ask(append, variables)).errors).toEqual(errors)
    for (const error of errors ?? []) {
      expect(error.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path })
      expect(error.message).not.toMatch(/did you mean/i)
      expect(error.message.length).toBeLessThan(1_100)
    }
    expect(errors?.length).toBeGreaterThan(0)
  })

  test('no type of GraphQL is given what is long and wrong, because its error would quote all of it', async () => {
    const types = [GraphQLID, GraphQLString, GraphQLInt, GraphQLFloat, GraphQLBoolean, GraphQLEnumType.prototype]
    const spies = types.map((type) => vi.spyOn(type as { parseValue(value: unknown): unknown }, 'parseValue'))
    onTestFinished(() => {
      for (const spy of spies) spy.mockRestore()
    })
    const isLong = (value: unknown) =>
      typeof value === 'string' ? value.length > 50 : Object.keys(Object(value)).length > 1
    const query = `query ($id: ID!, $name: String, $first: Int! = 1, $isIn: Boolean!, $format: ContextFormat!) {
      conversations(first: $first, after: $name) { nodes { id } }
      conversation(id: $id) @include(if: $isIn) { context(maxTokens: $first, format: $format) { messages } } }`
    const ask = async (variables: object) =>
      (await bed.server.as().ask(query, variables)).errors?.map((error) => error.message)
    const [text, object] = [long('1'), Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 1]))]
    const shown = `"${text.slice(0, 40)}…"`
    expect(await ask({ id: object, name: [text], first: text, isIn: text, format: text })).toEqual([
      'Variable "$id" got invalid value an object; ID cannot represent value: an object',
      'Variable "$name" got invalid value a list; String cannot represent a non string value: a list',
      `Variable "$first" got invalid value "${text.slice(0, 40)}"…; Int cannot represent non-integer value: ${shown}`,
      `Variable "$isIn" got invalid value "${text.slice(0, 40)}"…; Boolean cannot represent a non boolean value: ${shown}`,
      `Variable "$format" got invalid value "${text.slice(0, 40)}"…; Value ${shown} does not exist in "ContextFormat" enum.`,
    ])
    const [, , , , format] = (await ask({ id: 1.5, name: 1, first: 1.5, isIn: 1, format: object })) ?? []
    expect(format).toMatch(/Enum "ContextFormat" cannot represent non-string value: an object\.$/)
    expect(spies.flatMap(({ mock }) => mock.calls.map(([value]) => value)).filter(isLong)).toEqual([])
  })

  test('the keys of an object are not listed for it', async () => {
    const listed = Object.keys
    let lists = 0
    // Of the objects that only this test sends.
    Object.keys = (value: object) => {
      const keys = listed(value)
      if (keys[0] === 'k0' && !Array.isArray(value)) lists += 1
      return keys
    }
    try {
      const more = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, 1]))
      const { errors } = await bed.server.as().ask(append, inputOf({ ...more, ...message }))
      expect(errors?.length).toBeGreaterThan(40)
    } finally {
      Object.keys = listed
    }
    expect(lists).toBeLessThan(5)
  })

  test.each(['{ viewr { id } }', '{ viewer { ide } }', 'query ($a: Strin) { viewer { id } }'])(
    'a document: %s',
    async (query) => {
      expect((await bed.server.as().fail(query)).message).not.toMatch(/did you mean/i)
    },
  )

  test('a subscription', async () => {
    const query = 'subscription ($id: ID!) { messageAppended(conversationId: $id) { cursor } }'
    await using wire = await Wire.open(bed.server.url)
    const { errors } = await wire.ask(query, { id: unknownKeys })
    expect(errors?.[0]?.message).toMatch(/^Variable "\$id" got invalid value an object; /)
  })
})
