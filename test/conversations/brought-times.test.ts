import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'

const fields = 'id createdAt updatedAt lastSeq'
const create = `mutation ($input: CreateConversationInput!) { createConversation(input: $input) {
  created conversation { ${fields} } } }`
const append = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) {
  replayed messages { id seq createdAt updatedAt sentAt parentId } conversation { ${fields} } } }`
const list = 'query ($id: ID!) { conversations { nodes { id } } conversation(id: $id) { createdAt updatedAt } }'

const said = (createdAt: string | null, more: object = {}) => ({ role: 'USER', content: 'x', createdAt, ...more })

async function createAt(api: Api, id: string, createdAt: string | null) {
  return (await api.get(create, { input: { id, createdAt } })).createConversation.conversation
}

async function appendTo(api: Api, conversationId: string, messages: object[], more: object = {}) {
  const input = { conversationId, ifMissing: 'CREATE', messages, ...more }
  return (await api.get(append, { input })).appendMessages
}

async function order(api: Api): Promise<string[]> {
  return (await api.get(list, { id: '-' })).conversations.nodes.map(({ id }: { id: string }) => id)
}

/** Two times around a call, by the clock that the server has too. */
async function whenCalled<T>(call: () => Promise<T>): Promise<{ answer: T; isThen: (time: string) => boolean }> {
  const from = Date.now() - 2
  const answer = await call()
  const to = Date.now() + 2
  return { answer, isThen: (time) => Date.parse(time) >= from && Date.parse(time) <= to }
}

describe('times that an import brings', () => {
  const bed = useBed()
  let users = 0
  const newUser = () => bed.server.as({ 'x-user-id': `mover${++users}` })

  test('are stored to the microsecond, and answered as they are read', async () => {
    const ada = newUser()
    const conversation = await createAt(ada, 'old', '2024-03-01T10:00:00.000001+02:00')
    expect(conversation).toMatchObject({ createdAt: '2024-03-01T08:00:00.000001Z', lastSeq: 0 })
    expect(conversation.updatedAt).toBe(conversation.createdAt)
    const times = ['2024-03-01T08:00:00.5Z', '2024-03-02T00:00:00.123456Z', '2024-03-01T09:00:00Z']
    const appended = await appendTo(ada, 'old', [...times.map((time) => said(time))])
    // The order is that of the call.
    expect(appended.messages).toMatchObject(
      times.map((createdAt, n) => ({ seq: n + 1, createdAt, updatedAt: createdAt })),
    )
    expect(appended.conversation).toEqual({ ...conversation, updatedAt: times[1], lastSeq: 3 })
    const stored = await ada.get(
      `{ conversation(id: "old") { ${fields} messages { nodes { id seq createdAt updatedAt sentAt parentId } } } }`,
    )
    expect(stored.conversation).toEqual({ ...appended.conversation, messages: { nodes: appended.messages } })
  })

  test.each([1, 2])(
    'create the conversation with the earliest of them when a call of %i messages creates it',
    async (n) => {
      const ada = newUser()
      const messages = [said('2024-03-02T00:00:00Z'), said('2024-03-01T00:00:00.9Z')].slice(-n)
      const { conversation } = await appendTo(ada, 'new', messages)
      expect(conversation.createdAt).toBe('2024-03-01T00:00:00.9Z')
      expect(conversation.updatedAt).toBe(messages[0]?.createdAt)
    },
  )

  test('sort the list, whenever they are brought', async () => {
    const ada = newUser()
    await ada.append('now', 'x')
    await createAt(ada, 'of 2023', '2023-01-01T00:00:00Z')
    await appendTo(ada, 'of 2025', [said('2025-01-01T00:00:00Z')])
    await createAt(ada, 'of 2024', '2024-01-01T00:00:00Z')
    await appendTo(ada, 'of 2024', [said('2024-06-01T00:00:00Z')])
    expect(await order(ada)).toEqual(['now', 'of 2025', 'of 2024', 'of 2023'])
    await appendTo(ada, 'of 2023', [said('2024-12-31T23:59:59.999999Z')])
    expect(await order(ada)).toEqual(['now', 'of 2025', 'of 2023', 'of 2024'])
    await ada.append('of 2024', 'an ordinary append')
    expect(await order(ada)).toEqual(['of 2024', 'now', 'of 2025', 'of 2023'])
  })

  test('never move a conversation backwards, and an append without one is of now', async () => {
    const ada = newUser()
    await appendTo(ada, 'c', [said('2024-06-01T00:00:00Z')])
    const earlier = await appendTo(ada, 'c', [said('2023-06-01T00:00:00Z')])
    expect(earlier.messages).toMatchObject([{ seq: 2, createdAt: '2023-06-01T00:00:00Z' }])
    expect(earlier.conversation).toMatchObject({ createdAt: '2024-06-01T00:00:00Z', updatedAt: '2024-06-01T00:00:00Z' })
    const { answer, isThen } = await whenCalled(() => appendTo(ada, 'c', [said(null)]))
    expect(isThen(answer.conversation.updatedAt) && isThen(answer.messages[0].createdAt)).toBe(true)
    const { updatedAt } = answer.conversation
    const old = await appendTo(ada, 'c', [said('2024-07-01T00:00:00Z')])
    expect(old.conversation.updatedAt).toBe(updatedAt)
  })

  test('may stand beside a message without one, which is of now', async () => {
    const ada = newUser()
    const messages = [said('2024-06-01T00:00:00Z'), said(null), said('2024-07-01T00:00:00Z')]
    const { answer, isThen } = await whenCalled(() => appendTo(ada, 'mixed', messages))
    const [first, second, third] = answer.messages
    expect([first.createdAt, third.createdAt]).toEqual(['2024-06-01T00:00:00Z', '2024-07-01T00:00:00Z'])
    expect(isThen(second.createdAt)).toBe(true)
    expect(answer.conversation).toMatchObject({ createdAt: '2024-06-01T00:00:00Z', updatedAt: second.createdAt })
  })

  test('belong to the payload, as `sentAt` does', async () => {
    const ada = newUser()
    const message = said('2024-06-01T00:00:00Z', { clientId: 'one' })
    const first = await appendTo(ada, 'c', [message])
    const again = await appendTo(ada, 'c', [message])
    expect(again).toEqual({ ...first, replayed: [true] })
    for (const createdAt of ['2024-06-01T00:00:00.000001Z', null]) {
      const input = { conversationId: 'c', messages: [{ ...message, createdAt }] }
      const { extensions } = await ada.fail(append, { input })
      expect(extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
    }
    const more = await appendTo(ada, 'c', [message, said('2024-06-02T00:00:00Z', { clientId: 'two' })])
    expect(more.replayed).toEqual([true, false])
    expect(more.messages).toMatchObject([{ createdAt: message.createdAt }, { createdAt: '2024-06-02T00:00:00Z' }])
  })

  test('are taken in a branch, by an append with a condition, and by startMessage', async () => {
    const ada = newUser()
    const first = said('2024-06-01T00:00:00Z', { clientId: 'one' })
    const branch = [first, said('2024-06-02T00:00:00Z'), said('2024-06-03T00:00:00Z', { parentClientId: 'one' })]
    const { messages, conversation } = await appendTo(ada, 'c', branch, { ifLastSeq: 0 })
    expect(messages[2]).toMatchObject({ parentId: messages[0].id, createdAt: '2024-06-03T00:00:00Z' })
    expect(conversation).toMatchObject({ createdAt: '2024-06-01T00:00:00Z', updatedAt: '2024-06-03T00:00:00Z' })
    const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) {
      messageEdges { node { createdAt } } conversation { updatedAt } } }`
    const input = { conversationId: 'c', messages: [said('2024-06-04T00:00:00Z')] }
    const { startMessage } = await ada.get(start, { input })
    expect(startMessage.messageEdges[0].node.createdAt).toBe('2024-06-04T00:00:00Z')
    expect(startMessage.messageEdges[1].node.createdAt).toBe(startMessage.conversation.updatedAt)
  })

  test('stay at an edit, at a deletion and in a fork; the fork itself is new', async () => {
    const ada = newUser()
    const { messages } = await appendTo(ada, 'c', [said('2024-06-01T00:00:00Z'), said('2024-06-02T00:00:00Z')])
    const edit =
      'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "y" }) { message { createdAt } } }'
    expect((await ada.get(edit, messages[0])).editMessage.message.createdAt).toBe('2024-06-01T00:00:00Z')
    const drop = 'mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { createdAt } } }'
    expect((await ada.get(drop, messages[1])).deleteMessage.message.createdAt).toBe('2024-06-02T00:00:00Z')
    const fork = `mutation { forkConversation(input: { id: "c", newId: "copy" }) {
      conversation { createdAt updatedAt messages { nodes { createdAt } } } } }`
    const { answer, isThen } = await whenCalled(async () => (await ada.get(fork)).forkConversation.conversation)
    expect(answer.messages.nodes).toEqual(messages.map(({ createdAt }: { createdAt: string }) => ({ createdAt })))
    expect(isThen(answer.createdAt) && isThen(answer.updatedAt)).toBe(true)
  })

  test('belong to a conversation that is created again after its deletion', async () => {
    const ada = newUser()
    const remove = 'mutation { deleteConversation(input: { id: "c" }) { deletedConversationId } }'
    for (const bring of [
      () => createAt(ada, 'c', '2024-06-01T00:00:00Z'),
      async () => (await appendTo(ada, 'c', [said('2024-06-01T00:00:00Z')])).conversation,
    ]) {
      await ada.append('c', 'x')
      await ada.get(remove)
      expect(await bring()).toMatchObject({ createdAt: '2024-06-01T00:00:00Z', updatedAt: '2024-06-01T00:00:00Z' })
      await ada.get(remove)
    }
  })

  test('are not given to a conversation that exists already', async () => {
    const ada = newUser()
    const first = await createAt(ada, 'c', '2024-06-01T00:00:00Z')
    const input = { id: 'c', createdAt: '2023-06-01T00:00:00Z', ifExists: 'RETURN' }
    expect((await ada.get(create, { input })).createConversation).toEqual({ created: false, conversation: first })
  })

  test('choose the active leaf without moving the conversation, where keepPlace says so', async () => {
    const ada = newUser()
    const { messages, conversation } = await appendTo(ada, 'c', [
      said('2024-06-01T00:00:00Z'),
      said('2024-06-02T00:00:00Z'),
    ])
    const choose = `mutation ($input: SetActiveLeafInput!) { setActiveLeaf(input: $input) {
      conversation { ${fields} history { id } } } }`
    const input = { messageId: messages[0].id, keepPlace: true }
    const chosen = (await ada.get(choose, { input })).setActiveLeaf.conversation
    expect(chosen).toEqual({ ...conversation, history: [{ id: messages[0].id }] })
    const { answer, isThen } = await whenCalled(() => ada.get(choose, { input: { messageId: messages[1].id } }))
    expect(isThen(answer.setActiveLeaf.conversation.updatedAt)).toBe(true)
  })

  const ahead = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString()

  test.each([
    ['in the future', () => ahead(600), 'must not be in the future.'],
    ['of the year 9999', () => '9999-12-31T23:59:59.999999Z', 'must not be in the future.'],
    ['before 1970', () => '1969-12-31T23:59:59.999999Z', 'must not be before 1970.'],
    ['of the year 1', () => '0001-01-01T00:00:00Z', 'must not be before 1970.'],
  ])('that are %s are refused', async (_, time, sentence) => {
    const ada = newUser()
    const ways: [string, string, object][] = [
      ['input.createdAt', create, { id: 'c', createdAt: time() }],
      [
        'input.messages[1].createdAt',
        append,
        { conversationId: 'c', ifMissing: 'CREATE', messages: [said(null), said(time())] },
      ],
    ]
    for (const [path, mutation, input] of ways) {
      const { message, extensions } = await ada.fail(mutation, { input })
      expect([extensions.code, message]).toEqual(['BAD_USER_INPUT', `${path}: ${sentence}`])
    }
    expect(await order(ada)).toEqual([])
  })

  test('may be of 1970, and of a clock that is half a minute ahead', async () => {
    const ada = newUser()
    const soon = ahead(30)
    await appendTo(ada, 'first', [said('1970-01-01T00:00:00Z')])
    await createAt(ada, 'ahead', soon)
    expect(await order(ada)).toEqual(['ahead', 'first'])
    // The next ordinary change is not before it.
    await ada.append('ahead', 'x')
    const { conversation } = await ada.get(list, { id: 'ahead' })
    expect(Date.parse(conversation.updatedAt)).toBeGreaterThanOrEqual(Date.parse(soon))
  })
})

describe('where callers show who they are, times are taken', () => {
  const secret = 'a secret of thirty-two bytes, or more'
  const key = 'a key of thirty-two bytes, or so, at least'
  const bed = useBed({
    AUTH_SECRET: secret,
    AUTH_ISSUER: 'https://id.example',
    AUTH_AUDIENCE: 'colloquy',
    AUTH_SERVICE_KEYS: `mover:${createHash('sha256').update(key).digest('hex')}`,
  })
  const time = '2024-06-01T00:00:00Z'

  test('from a backend with a service key', async () => {
    const mover = bed.server.as({ 'x-service-key': key, 'x-user-id': 'ada' })
    expect(await createAt(mover, 'c', time)).toMatchObject({ createdAt: time })
    expect((await appendTo(mover, 'd', [said(time)])).messages).toMatchObject([{ createdAt: time }])
  })

  test('and not from a user with a bearer token, in whatever way', async () => {
    const token = await new SignJWT({ sub: 'eve', iss: 'https://id.example', aud: 'colloquy' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret))
    const eve = bed.server.as({ authorization: `Bearer ${token}` })
    const one = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed } }`
    const start = 'mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt } }'
    const target = { conversationId: 'c', ifMissing: 'CREATE' }
    const ways: [string, string, object][] = [
      ['input.createdAt', create, { id: 'c', createdAt: time }],
      ['input.message.createdAt', one, { ...target, message: said(time) }],
      ['input.messages[1].createdAt', append, { ...target, messages: [said(null), said(time)] }],
      ['input.messages[0].createdAt', append, { ...target, messages: [said(time)], onExisting: 'REPLACE' }],
      ['input.messages[0].createdAt', start, { ...target, messages: [said(time)] }],
    ]
    for (const [path, mutation, input] of ways) {
      const { message, extensions } = await eve.fail(mutation, { input })
      expect(extensions.code).toBe('FORBIDDEN')
      expect(message).toBe(`${path}: only a caller with the role import may say when something was created.`)
    }
    expect(await order(eve)).toEqual([])
    // Without times all is as ever.
    await appendTo(eve, 'c', [said(null)])
    expect(await order(eve)).toEqual(['c'])
  })
})
