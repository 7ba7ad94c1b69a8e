import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'

const bed = useBed()

const fields = `id seq role name content parts partsFormat toolCalls { callId name arguments } metadata clientId revision
  createdAt updatedAt editedAt deletedAt`
const edit = `mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { ${fields} } conversation { lastSeq updatedAt } } }`
const remove = `mutation ($input: DeleteMessageInput!) { deleteMessage(input: $input) { message { ${fields} } conversation { lastSeq } } }`
const save = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed messages { ${fields} } conversation { lastSeq } } }`
const clear = 'mutation ($id: ID!) { clearConversation(input: { id: $id }) { conversation { lastSeq } } }'
const readAll = `query ($id: ID!) { conversation(id: $id) { lastSeq messages(first: 100) { nodes { ${fields} } } } }`

test('an edit changes what it names, keeps the rest and the place, and moves the revision', async () => {
  const ada = bed.server.as()
  const message = { role: 'USER', content: 'teh', name: 'Ada', metadata: { a: 1, b: 2 }, clientId: 'c' }
  const { message: stored } = await ada.append('edit', message)
  await ada.append('edit', 'later')
  const edited = (await ada.get(edit, { input: { messageId: stored.id, content: 'the', metadata: { b: 3 } } }))
    .editMessage
  expect(edited.message).toMatchObject({ id: stored.id, seq: 1, name: 'Ada', content: 'the', clientId: 'c' })
  expect(edited.message.metadata).toEqual({ a: 1, b: 3 })
  expect(Number(edited.message.revision)).toBeGreaterThan(0)
  expect(edited.message.editedAt).toBe(edited.conversation.updatedAt)
  const { conversation } = await ada.get(readAll, { id: 'edit' })
  expect(conversation.messages.nodes[0]).toEqual(edited.message)
  expect(conversation.lastSeq).toBe(2)
})

test('an edit may name the message by conversation and client id, and clears what is null', async () => {
  const ada = bed.server.as()
  const toolCalls = [{ callId: '1', name: 'f', arguments: '{}' }]
  await ada.append('by-client-id', { role: 'ASSISTANT', content: 'x', toolCalls, clientId: 'mine', metadata: { a: 1 } })
  const address = { conversationId: 'by-client-id', clientId: 'mine' }
  const { message } = (await ada.get(edit, { input: { ...address, content: null, metadata: null } })).editMessage
  expect(message).toMatchObject({ content: null, toolCalls })
  expect(message.metadata).toEqual({})
  const nothing = await ada.fail(edit, { input: { ...address, toolCalls: null } })
  expect(nothing.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input' })
})

test('editing parts derives the content anew, unless the edit has one', async () => {
  const ada = bed.server.as()
  const parts = (text: string) => [{ type: 'text', text }]
  const { message } = await ada.append('parts', { role: 'USER', parts: parts('one'), partsFormat: 'AI_SDK' })
  const change = async (input: object) =>
    (await ada.get(edit, { input: { messageId: message.id, ...input } })).editMessage.message.content
  expect(await change({ parts: parts('two') })).toBe('two')
  expect(await change({ parts: parts('three'), content: 'own' })).toBe('own')
  expect(await change({ metadata: { a: 1 } })).toBe('own')
  expect(await change({ content: null, parts: parts('four') })).toBeNull()
})

test('text that stands in parts too is not edited without them, for models would go on reading the old one', async () => {
  const ada = bed.server.as()
  const parts = [{ type: 'text', text: 'one' }]
  const { message } = await ada.append('two-texts', { role: 'USER', parts, partsFormat: 'ANTHROPIC' })
  const change = (input: object) => ada.ask(edit, { input: { messageId: message.id, ...input } })
  for (const content of ['two', null]) {
    const { errors } = await change({ content })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.content' })
  }
  for (const input of [{ content: 'one' }, { content: 'two', parts: null }, { content: 'three' }]) {
    const { data } = await change(input)
    expect(data?.editMessage.message.content).toBe(input.content)
  }
})

test('parts that are edited to ones without text leave no old text behind, but where nobody knows their dialect', async () => {
  const ada = bed.server.as()
  const parts = [{ type: 'text', text: 'one' }]
  const { message } = await ada.append('pictures', { role: 'USER', parts, partsFormat: 'ANTHROPIC' })
  const change = async (input: object) =>
    (await ada.get(edit, { input: { messageId: message.id, ...input } })).editMessage.message.content
  expect(await change({ parts: null })).toBe('one')
  expect(await change({ parts: [{ mine: 1 }], partsFormat: 'OTHER' })).toBe('one')
  const picture = { type: 'image', source: { type: 'url', url: 'https://example.com/a' } }
  expect(await change({ parts: [picture], partsFormat: 'ANTHROPIC' })).toBeNull()
})

test('ifRevision: of two edits at once one wins, and the other learns the revision', async () => {
  const ada = bed.server.as()
  const { message } = await ada.append('race', 'x')
  const attempt = (content: string) => ada.ask(edit, { input: { messageId: message.id, content, ifRevision: '0' } })
  const answers = await Promise.all([attempt('a'), attempt('b')])
  const won = answers.find(({ errors }) => !errors)?.data.editMessage.message
  const lost = answers.find(({ errors }) => errors)?.errors?.[0]
  expect(lost?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'REVISION', revision: won.revision })
})

test('an edit keeps the payload that the client id stands for: the retried append is a replay', async () => {
  const ada = bed.server.as()
  const message = { role: 'USER', content: 'original', clientId: 'c' }
  const first = await ada.append('hash', message)
  await ada.get(edit, { input: { messageId: first.message.id, content: 'edited' } })
  expect(await ada.append('hash', message)).toMatchObject({ replayed: true, message: { content: 'edited' } })
})

test('an edit is checked like a new message, and a refused one changes nothing', async () => {
  const ada = bed.server.as()
  const stored = { role: 'USER', content: 'x', metadata: { a: 1 }, clientId: 'c' }
  const { message } = await ada.append('checked', stored)
  const id = { messageId: message.id, toolCalls: null }
  const limit = 1024 * 1024
  const left = limit - Buffer.byteLength('USER{"a":1}c')
  const large = await ada.fail(edit, { input: { ...id, content: 'x'.repeat(left + 1) } })
  expect(large.extensions).toEqual({ code: 'PAYLOAD_TOO_LARGE', path: 'input', limit, actual: limit + 1 })
  const more = (bytes: number) => ({ b: 'x'.repeat(bytes - Buffer.byteLength('{"a":1,"b":""}')) })
  const metadata = await ada.fail(edit, { input: { ...id, metadata: more(16 * 1024 + 1) } })
  expect(metadata.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'input.metadata', actual: 16_385 })
  const bad = await ada.fail(edit, { input: { ...id, content: 'a\0b' } })
  expect(bad.extensions).toEqual({ code: 'BAD_USER_INPUT', path: 'input.content' })
  const { conversation } = await ada.get(readAll, { id: 'checked' })
  expect(conversation.messages.nodes[0]).toMatchObject({ ...stored, revision: '0', editedAt: null })
  await ada.get(edit, { input: { ...id, content: 'x'.repeat(left) } })
  await ada.get(edit, { input: { ...id, content: 'x', metadata: more(16 * 1024) } })
})

test('a deleted message is a tombstone: its content is gone for good, its place and its client id stay', async () => {
  const ada = bed.server.as()
  const message = { role: 'USER', content: 'secret', metadata: { a: 'secret' }, name: 'secret', clientId: 'c' }
  await ada.append('tomb', 'first')
  const { message: stored } = await ada.append('tomb', message)
  await ada.append('tomb', 'last')
  const { message: tombstone } = (await ada.get(remove, { input: { messageId: stored.id } })).deleteMessage
  expect(tombstone).toMatchObject({ id: stored.id, seq: 2, role: 'USER', content: null, name: null })
  expect(tombstone.metadata).toEqual({})
  expect(tombstone.deletedAt).not.toBeNull()
  const { conversation } = await ada.get(readAll, { id: 'tomb' })
  expect(conversation.messages.nodes.map((node: { seq: number }) => node.seq)).toEqual([1, 2, 3])
  expect(conversation.messages.nodes[1]).toEqual(tombstone)
  const client = await bed.database.connect()
  const { rowCount } = await client.query("select from message m where m::text like '%secret%'")
  expect(rowCount).toBe(0)
  expect(await ada.append('tomb', message)).toMatchObject({ replayed: true, message: { seq: 2, content: null } })
  const again = (await ada.get(remove, { input: { messageId: stored.id } })).deleteMessage
  expect(again.message).toEqual(tombstone)
  const error = await ada.fail(edit, { input: { messageId: stored.id, content: 'back' } })
  expect(error.extensions.code).toBe('NOT_FOUND')
})

test('clearing deletes every message there is, and the seqs go on', async () => {
  const ada = bed.server.as()
  const messages = Array.from({ length: 100 }, (_, i) => ({ role: 'USER', content: `m${i}` }))
  for (let i = 0; i < 12; i++) {
    await ada.get(save, { input: { conversationId: 'clear', ifMissing: 'CREATE', messages } })
  }
  expect((await ada.get(clear, { id: 'clear' })).clearConversation.conversation.lastSeq).toBe(1200)
  const client = await bed.database.connect()
  const left = await client.query(
    "select from message where deleted_at is null and conversation_key = (select key from conversation where id = 'clear')",
  )
  expect(left.rowCount).toBe(0)
  expect((await ada.append('clear', 'new')).message.seq).toBe(1201)
  const { conversation } = await ada.get('{ conversation(id: "clear") { history { content } lastMessage { seq } } }')
  expect(conversation).toEqual({ history: [{ content: 'new' }], lastMessage: { seq: 1201 } })
  expect((await ada.fail(clear, { id: 'nowhere' })).extensions.code).toBe('NOT_FOUND')
})

test('REPLACE: saving a whole transcript again edits what changed, appends what is new and replays the rest', async () => {
  const ada = bed.server.as()
  const message = (clientId: string, content: string) => ({ role: 'USER', content, clientId })
  const transcript = (messages: object[]) => ({
    input: { conversationId: 'saved', ifMissing: 'CREATE', onExisting: 'REPLACE', messages },
  })
  await ada.get(save, transcript([message('1', 'a'), message('2', 'b')]))
  const next = transcript([message('1', 'a'), message('2', 'B'), message('3', 'c')])
  const second = (await ada.get(save, next)).appendMessages
  expect(second.replayed).toEqual([true, false, false])
  expect(second.messages).toMatchObject([
    { seq: 1, content: 'a', editedAt: null },
    { seq: 2, content: 'B' },
    { seq: 3, content: 'c', editedAt: null },
  ])
  expect(second.messages[1].editedAt).not.toBeNull()
  const third = (await ada.get(save, next)).appendMessages
  expect(third).toEqual({ ...second, replayed: [true, true, true] })
  await ada.get(remove, { input: { conversationId: 'saved', clientId: '1' } })
  const fourth = (await ada.get(save, transcript([message('1', 'A')]))).appendMessages
  expect(fourth).toMatchObject({ replayed: [true], messages: [{ content: null }] })
  const refused = await ada.fail(save, { input: { conversationId: 'saved', messages: [message('2', 'x')] } })
  expect(refused.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
})

test('a message is addressed in exactly one way', async () => {
  const ada = bed.server.as()
  const { message } = await ada.append('addressed', { role: 'USER', content: 'x', clientId: 'c' })
  const [messageId, conversationId, clientId] = [message.id, 'addressed', 'c']
  for (const address of [
    {},
    { conversationId },
    { clientId },
    { messageId, conversationId },
    { messageId, clientId },
    { messageId, conversationId, clientId },
  ]) {
    expect((await ada.fail(remove, { input: address })).extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      path: 'input',
    })
  }
})
