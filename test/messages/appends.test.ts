import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { patient } from '../support/patient.ts'
import { serve } from '../support/server.ts'

const bed = useBed()

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
  replayed conversation { id lastSeq updatedAt } messageEdge { cursor node { seq } }
  message { id seq role name content toolCalls { callId name arguments type extra } toolName toolCallId toolError
    model finishReason usage metadata clientId status revision sentAt createdAt updatedAt editedAt deletedAt error { code } }
} }`

const appendMany = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) {
  replayed conversation { id lastSeq } messages { seq content clientId } messageEdges { cursor node { seq } }
} }`

const readAll = `query ($id: ID!) { conversation(id: $id) { lastSeq updatedAt messages(first: 100) {
  nodes { id seq role name content toolCalls { callId name arguments type extra } toolName toolCallId toolError
    model finishReason usage metadata clientId status revision sentAt createdAt updatedAt editedAt deletedAt error { code } }
} } }`

const user = (content: string, more = {}) => ({ role: 'USER', content, ...more })

test('1 durable: when an append is answered, another connection sees it committed', async () => {
  const { message } = await bed.server.as().append('durable', 'Hello')
  const client = await bed.database.connect()
  const { rows } = await client.query("select content from message where content = 'Hello' and seq = $1", [message.seq])
  expect(rows).toEqual([{ content: 'Hello' }])
})

test('1 durable: a commit that fails is an error and never an answer', async () => {
  const client = await bed.database.connect()
  // Citus takes no trigger otherwise; elsewhere it is the name of nothing.
  await client.query('set citus.enable_unsafe_triggers = on')
  await client.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not today'; end $$`)
  await client.query(`
    create constraint trigger refuse after insert on message deferrable initially deferred
      for each row when (new.content = 'refused at commit') execute function refuse()`)
  const ada = bed.server.as()
  const error = await ada.fail(append, {
    input: { conversationId: 'commit', ifMissing: 'CREATE', message: user('refused at commit') },
  })
  // Citus says only that a machine did not commit, as when it is lost.
  expect(error.extensions.code).toBe(engine.spreads ? 'UNAVAILABLE' : 'INTERNAL_SERVER_ERROR')
  expect(await ada.get('{ conversation(id: "commit") { id } }')).toEqual({ conversation: null })
})

test('what an append answers is what reading it again answers, every field', async () => {
  const ada = bed.server.as()
  const message = {
    role: 'ASSISTANT',
    name: 'planner',
    content: 'Let me look.',
    toolCalls: [
      { callId: 'call_1', name: 'find', arguments: '{"q": "a",  "n":1 }' },
      { callId: 'call_2', name: 'find', arguments: '', type: 'custom', extra: { index: 0 } },
    ],
    toolName: 'find',
    toolCallId: 'call_0',
    toolError: false,
    model: 'm-1',
    finishReason: 'tool_calls',
    usage: { total: 12 },
    metadata: { trace: ['a', { b: null }] },
    clientId: 'c-1',
    sentAt: '2026-01-31T10:30:00.120+01:00',
  }
  const { appendMessage } = await ada.get(append, {
    input: { conversationId: 'fields', ifMissing: 'CREATE', message },
  })
  expect(appendMessage.message).toMatchObject({
    ...message,
    toolCalls: [{ ...message.toolCalls[0], type: 'function', extra: null }, message.toolCalls[1]],
    sentAt: '2026-01-31T09:30:00.12Z',
  })
  const { conversation } = await ada.get(readAll, { id: 'fields' })
  expect(conversation.messages.nodes).toEqual([appendMessage.message])
  expect(conversation.updatedAt).toBe(appendMessage.conversation.updatedAt)
})

test('3 retry-safe: the same client id and payload answers the stored message, marked replayed', async () => {
  const ada = bed.server.as()
  const message = user('pay', { clientId: 'pay-1', metadata: { b: 1, a: 2 } })
  const input = { conversationId: 'retry', ifMissing: 'CREATE', message }
  const first = (await ada.get(append, { input })).appendMessage
  // null equals absent, and the order of an object's keys is no difference.
  const again = { ...message, metadata: { a: 2, b: 1 }, name: null, toolCalls: null }
  const second = (await ada.get(append, { input: { ...input, message: again } })).appendMessage
  expect(first.replayed).toBe(false)
  expect(second).toEqual({ ...first, replayed: true })
})

test('3 retry-safe: the same client id with another payload is a conflict that names the message and changes nothing', async () => {
  const ada = bed.server.as()
  const input = { conversationId: 'conflict', ifMissing: 'CREATE', message: user('one', { clientId: 'c' }) }
  const { message, conversation } = (await ada.get(append, { input })).appendMessage
  const error = await ada.fail(append, { input: { ...input, message: user('two', { clientId: 'c' }) } })
  expect(error.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID', messageId: message.id })
  const after = await ada.get(readAll, { id: 'conflict' })
  expect(after.conversation).toMatchObject({ lastSeq: 1, updatedAt: conversation.updatedAt })
})

test('3 retry-safe: the same client id sent 100 times at once over two servers happens once', async () => {
  await using one = await serve(bed.database.url, patient)
  await using other = await serve(bed.database.url, patient)
  const input = { conversationId: 'hundred', ifMissing: 'CREATE', message: user('once', { clientId: 'once' }) }
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => (i % 2 ? other : one).as().get(append, { input })),
  )
  expect(new Set(answers.map(({ appendMessage }) => appendMessage.message.id)).size).toBe(1)
  expect(answers.filter(({ appendMessage }) => !appendMessage.replayed)).toHaveLength(1)
  const { conversation } = await bed.server.as().get(readAll, { id: 'hundred' })
  expect(conversation.lastSeq).toBe(1)
})

test('3 retry-safe: one client id may name a message in every conversation', async () => {
  const ada = bed.server.as()
  const one = await ada.append('space-1', user('x', { clientId: 'same' }))
  const two = await ada.append('space-2', user('y', { clientId: 'same' }))
  expect([one.replayed, two.replayed]).toEqual([false, false])
})

test('ifLastSeq: of two turns at once one wins, the other learns the last seq, and nothing of it is stored', async () => {
  const ada = bed.server.as()
  await ada.append('turns', 'question')
  const turn = (text: string) =>
    ada.ask(append, { input: { conversationId: 'turns', ifLastSeq: 1, message: user(text) } })
  const answers = await Promise.all([turn('a'), turn('b')])
  const lost = answers.filter(({ errors }) => errors)
  expect(lost).toHaveLength(1)
  expect(lost[0]?.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'LAST_SEQ', lastSeq: 2 })
  expect((await ada.get(readAll, { id: 'turns' })).conversation.lastSeq).toBe(2)
})

test('ifLastSeq: a retried append is a replay and no conflict', async () => {
  const ada = bed.server.as()
  const input = { conversationId: 'cas', ifMissing: 'CREATE', ifLastSeq: 0, message: user('hi', { clientId: 'h' }) }
  await ada.get(append, { input })
  await ada.append('cas', 'later')
  expect((await ada.get(append, { input })).appendMessage).toMatchObject({ replayed: true, message: { seq: 1 } })
})

test('ifLastSeq: a missing conversation has 0, and a refused append creates nothing', async () => {
  const ada = bed.server.as()
  const input = { conversationId: 'nothing', ifMissing: 'CREATE', ifLastSeq: 3, message: user('hi') }
  const error = await ada.fail(append, { input })
  expect(error.extensions).toMatchObject({ code: 'CONFLICT', reason: 'LAST_SEQ', lastSeq: 0 })
  expect(await ada.get('{ conversation(id: "nothing") { id } }')).toEqual({ conversation: null })
  expect((await ada.fail(append, { input: { ...input, ifMissing: 'FAIL' } })).extensions.code).toBe('NOT_FOUND')
})

test('ifMissing CREATE: two servers that create one conversation at once make one, with both messages', async () => {
  await using other = await serve(bed.database.url)
  for (let round = 0; round < 10; round++) {
    const id = `both-${round}`
    const [one, two] = await Promise.all([bed.server.as().append(id, 'one'), other.as().append(id, 'two')])
    expect([one.message.seq, two.message.seq].sort()).toEqual([1, 2])
    const { conversation } = await bed.server.as().get(readAll, { id })
    expect(conversation.messages.nodes.map((node: { content: string }) => node.content).sort()).toEqual(['one', 'two'])
  }
})

test('ifMissing FAIL: an append to a conversation that does not exist is NOT_FOUND', async () => {
  const error = await bed.server.as().fail(append, { input: { conversationId: 'nowhere', message: user('hi') } })
  expect(error.extensions.code).toBe('NOT_FOUND')
})

test('4 atomic: a batch is stored whole and in order', async () => {
  const ada = bed.server.as()
  const messages = [user('a'), user('b', { clientId: 'b' }), user('c')]
  const { appendMessages } = await ada.get(appendMany, {
    input: { conversationId: 'batch', ifMissing: 'CREATE', messages },
  })
  expect(appendMessages).toMatchObject({
    replayed: [false, false, false],
    conversation: { lastSeq: 3 },
    messages: [
      { seq: 1, content: 'a' },
      { seq: 2, content: 'b' },
      { seq: 3, content: 'c' },
    ],
  })
  const { conversation } = await ada.get(readAll, { id: 'batch' })
  expect(conversation.messages.nodes.map((node: { content: string }) => node.content)).toEqual(['a', 'b', 'c'])
})

test('4 atomic: a batch with one bad message stores nothing and says which', async () => {
  const ada = bed.server.as()
  const messages = [user('good'), { role: 'TOOL', content: 'no call' }]
  const error = await ada.fail(appendMany, { input: { conversationId: 'bad', ifMissing: 'CREATE', messages } })
  expect(error.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.messages[1].toolCallId' })
  expect(await ada.get('{ conversation(id: "bad") { id } }')).toEqual({ conversation: null })
})

test('4 atomic: a batch with one conflict stores nothing', async () => {
  const ada = bed.server.as()
  await ada.append('half', user('one', { clientId: '1' }))
  const messages = [user('new'), user('another', { clientId: '1' })]
  const error = await ada.fail(appendMany, { input: { conversationId: 'half', messages } })
  expect(error.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
  expect((await ada.get(readAll, { id: 'half' })).conversation.lastSeq).toBe(1)
})

test('4 atomic: a batch that is partly known is completed, in the order of the input', async () => {
  const ada = bed.server.as()
  await ada.append('partly', user('two', { clientId: '2' }))
  const messages = [user('one', { clientId: '1' }), user('two', { clientId: '2' }), user('three')]
  const { appendMessages } = await ada.get(appendMany, { input: { conversationId: 'partly', messages } })
  expect(appendMessages.replayed).toEqual([false, true, false])
  expect(appendMessages.messages.map((message: { seq: number }) => message.seq)).toEqual([2, 1, 3])
  expect(appendMessages.conversation.lastSeq).toBe(3)
})

test('4 atomic: a client id twice in one batch is stored once, and refused with two payloads', async () => {
  const ada = bed.server.as()
  const twice = [user('x', { clientId: 'x' }), user('y'), user('x', { clientId: 'x' })]
  const input = { conversationId: 'twice', ifMissing: 'CREATE', messages: twice }
  const { appendMessages } = await ada.get(appendMany, { input })
  expect(appendMessages.replayed).toEqual([false, false, true])
  expect(appendMessages.messages.map((message: { seq: number }) => message.seq)).toEqual([1, 2, 1])
  const split = [user('p', { clientId: 'p' }), user('q', { clientId: 'p' })]
  const error = await ada.fail(appendMany, { input: { conversationId: 'twice', messages: split } })
  expect(error.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.messages[1].clientId' })
  expect((await ada.get(readAll, { id: 'twice' })).conversation.lastSeq).toBe(2)
})

test('a message needs content, parts or tool calls; an empty text is content', async () => {
  const ada = bed.server.as()
  for (const empty of [{}, { content: null }, { parts: [], toolCalls: [] }]) {
    const input = { conversationId: 'empty', ifMissing: 'CREATE', message: { role: 'ASSISTANT', ...empty } }
    expect((await ada.fail(append, { input })).extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      path: 'input.message',
    })
  }
  expect((await ada.append('empty', '')).message.content).toBe('')
})

test('updatedAt never runs backwards, even when the clock did', async () => {
  const ada = bed.server.as()
  await ada.append('clock', 'one')
  const client = await bed.database.connect()
  await client.query("update conversation set updated_at = '2999-01-01T00:00:00Z' where id = 'clock'")
  await ada.append('clock', 'two')
  const { conversation } = await ada.get(readAll, { id: 'clock' })
  expect(conversation.updatedAt).toBe('2999-01-01T00:00:00.000001Z')
})
