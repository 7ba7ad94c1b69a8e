import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/wire.ts'

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
