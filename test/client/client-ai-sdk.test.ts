import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import {
  AbstractChat,
  type ChatState,
  convertToModelMessages,
  createUIMessageStreamResponse,
  DefaultChatTransport,
  generateId,
  jsonSchema,
  stepCountIs,
  streamText,
  type ToolSet,
  tool,
  toUIMessageStream,
  type UIMessage,
  validateUIMessages,
} from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { loadChat, readModelMessages, saveChat } from '../../client/src/ai-sdk.ts'
import { useBed } from '../support/bed.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { until } from '../support/until.ts'

const bed = useBed()

expectNothingOpenAfterEach(bed)

const at = (conversationId: string) => ({
  url: `${bed.server.url}/graphql`,
  conversationId,
  connectionParams: { 'x-user-id': 'ada' },
  webSocketImpl: WebSocket,
})

const user = (id: string, text: string): UIMessage => ({ id, role: 'user', parts: [{ type: 'text', text }] })
const assistant = (id: string, ...parts: UIMessage['parts']): UIMessage => ({ id, role: 'assistant', parts })

/** As JSON has them. */
const json = (value: unknown) => JSON.parse(JSON.stringify(value))

const call = { toolCallId: 'c-1', input: { city: 'Köln', at: [1, { a: null }] } } as const
const metadata = { provider: { signature: 'EqQB…==' } }

/** Every kind of part, and every state of a tool's. */
const everything: UIMessage['parts'] = [
  { type: 'step-start' },
  { type: 'reasoning', text: 'Hm.', state: 'done', providerMetadata: metadata },
  { type: 'text', text: 'Let me see. ', state: 'done', providerMetadata: metadata },
  { type: 'text', text: '', state: 'streaming' },
  { type: 'custom', kind: 'openai.compaction', providerMetadata: metadata },
  { type: 'source-url', sourceId: 's-1', url: 'https://example.com/', title: 'Example' },
  { type: 'source-document', sourceId: 's-2', mediaType: 'application/pdf', title: 'D', filename: 'd.pdf' },
  { type: 'file', mediaType: 'image/png', filename: 'a.png', url: 'data:image/png;base64,iVBORw0KGgo=' },
  { type: 'reasoning-file', mediaType: 'image/png', url: 'https://example.com/a.png' },
  { type: 'data-weather', id: 'd-1', data: { degrees: -0.5, wind: null } },
  { type: 'tool-weather', ...call, state: 'input-streaming', input: { city: 'Kö' }, rawInput: '{"city": "Kö' },
  { type: 'tool-weather', ...call, state: 'input-available', callProviderMetadata: metadata },
  { type: 'tool-weather', ...call, state: 'approval-requested', approval: { id: 'a-1', signature: 'x' } },
  { type: 'tool-weather', ...call, state: 'approval-responded', approval: { id: 'a-1', approved: true, reason: 'ok' } },
  { type: 'tool-weather', ...call, state: 'output-available', output: { degrees: 3 }, preliminary: true },
  { type: 'tool-weather', ...call, state: 'output-available', output: null, approval: { id: 'a-1', approved: true } },
  { type: 'tool-weather', ...call, state: 'output-error', errorText: 'No such city.' },
  { type: 'tool-weather', ...call, state: 'output-denied', approval: { id: 'a-1', approved: false, reason: 'no' } },
  {
    type: 'dynamic-tool',
    toolName: 'search',
    ...call,
    state: 'output-available',
    output: 'text',
    providerExecuted: true,
  },
  { type: 'dynamic-tool', toolName: 'search', ...call, state: 'output-error', input: undefined, errorText: 'bad' },
]

test('a chat comes back equal: every kind of part, every state of a tool, and metadata of any shape', async () => {
  const chat: UIMessage[] = [
    { id: 's', role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
    { ...user('u', 'Is it cold?'), metadata: { createdAt: 1_700_000_000_000, tags: [] } },
    assistant('a', ...everything),
    assistant('empty'),
    { ...user('u2', ''), metadata: 'a text' },
    { ...user('u3', '3'), metadata: {} },
    { ...user('u4', '4'), metadata: [1] },
    { ...user('u5', '5'), metadata: null },
    { ...user('u6', '6'), metadata: { aiSdk: { aiSdk: 1 } } },
  ]
  await saveChat({ ...at('everything'), messages: chat })
  const loaded = await loadChat(at('everything'))
  expect(loaded).toEqual(json(chat))
  expect(json(loaded)).toEqual(json(chat))
  const { conversation } = await bed.server
    .as()
    .get('{ conversation(id: "everything") { message(clientId: "a") { content partsFormat } } }')
  expect(conversation.message).toEqual({ content: 'Let me see. ', partsFormat: 'AI_SDK' })
})

test('a chat of many messages is saved and loaded in their order', async () => {
  const messages = Array.from({ length: 250 }, (_, n) => user(`m-${n}`, String(n)))
  await saveChat({ ...at('many'), messages })
  expect(await loadChat(at('many'))).toEqual(messages)
})

/** The revisions of a conversation's messages; they move when a message is written. */
async function revisions(id: string): Promise<string[]> {
  const query = 'query ($id: ID!) { conversation(id: $id) { messages(first: 100) { nodes { revision } } } }'
  const { conversation } = await bed.server.as().get(query, { id })
  return conversation.messages.nodes.map(({ revision }: { revision: string }) => revision)
}

test('only what has changed is written, and saving the same again changes nothing', async () => {
  const question = user('q', 'Is it cold?')
  const asked = { type: 'tool-weather', ...call, state: 'input-available' } as const
  await saveChat({ ...at('changes'), messages: [question, assistant('a', asked)] })
  const answered = { ...asked, state: 'output-available', output: { degrees: 3 } } as const
  const messages = [question, assistant('a', answered, { type: 'text', text: 'Yes.' }), user('q2', 'Thanks.')]
  await saveChat({ ...at('changes'), messages })
  expect(await loadChat(at('changes'))).toEqual(messages)
  const [first, second, third] = await revisions('changes')
  expect([first, third]).toEqual(['0', '0'])
  expect(second).not.toBe('0')
  const { cursor } = (await bed.server.as().get('{ conversation(id: "changes") { cursor } }')).conversation
  await saveChat({ ...at('changes'), messages })
  await saveChat({ ...at('changes'), messages: messages.slice(0, 1) })
  expect(await bed.server.as().get('{ conversation(id: "changes") { cursor lastSeq } }')).toEqual({
    conversation: { cursor, lastSeq: 3 },
  })
})

/** Of each message its client id and that of the message that it continues, of all branches, in the order of their seqs. */
async function tree(id: string): Promise<[string, string | null][]> {
  const query = `query ($id: ID!) { conversation(id: $id) { messages(first: 100) { nodes { id clientId parentId } } } }`
  const { nodes } = (await bed.server.as().get(query, { id })).conversation.messages
  const clientIds = new Map(nodes.map((node: { id: string; clientId: string }) => [node.id, node.clientId]))
  return nodes.map(({ clientId, parentId }: { clientId: string; parentId: string }) => [
    clientId,
    clientIds.get(parentId) ?? null,
  ])
}

const idsOf = async (id: string) => (await loadChat(at(id))).map((message) => message.id)

/** Two turns, u1 a1 u2 a2. */
const turns = [user('u1', '1'), assistant('a1', { type: 'text', text: 'One.' }), user('u2', '2'), assistant('a2')]
const turnsTree = [
  ['u1', null],
  ['a1', 'u1'],
  ['u2', 'a1'],
  ['a2', 'u2'],
]

test('a turn of a client that lacks the last one is a branch: nothing is lost, and the chat follows the newest', async () => {
  await saveChat({ ...at('stale'), messages: turns })
  const stale = [...turns.slice(0, 2), user('u3', '3'), assistant('a3')]
  await saveChat({ ...at('stale'), messages: stale })
  expect(await tree('stale')).toEqual([...turnsTree, ['u3', 'a1'], ['a3', 'u3']])
  expect(await loadChat(at('stale'))).toEqual(stale)
  const first = [...turns, user('u4', '4'), assistant('a4')]
  await saveChat({ ...at('stale'), messages: first })
  expect(await loadChat(at('stale'))).toEqual(first)
  expect(await tree('stale')).toHaveLength(8)
})

test('turns of many clients at once are a branch each', async () => {
  await saveChat({ ...at('at once'), messages: turns })
  const names = ['x', 'y', 'z']
  await Promise.all(
    names.map((name) =>
      saveChat({ ...at('at once'), messages: [...turns, user(`u-${name}`, name), assistant(`a-${name}`)] }),
    ),
  )
  const links = (await tree('at once')).slice(4)
  expect(links).toHaveLength(6)
  expect(links).toEqual(
    expect.arrayContaining(
      names.flatMap((name) => [
        [`u-${name}`, 'a2'],
        [`a-${name}`, `u-${name}`],
      ]),
    ),
  )
})

test('the same save again, later or at once, changes nothing, also when there was another turn in between', async () => {
  const [first, second] = [turns.slice(0, 2), turns]
  await Promise.all([1, 2, 3].map(() => saveChat({ ...at('retry'), messages: first })))
  await Promise.all([1, 2, 3].map(() => saveChat({ ...at('retry'), messages: second })))
  await saveChat({ ...at('retry'), messages: first })
  // The question is there already, as when a route saves it before the model answers.
  await saveChat({ ...at('retry'), messages: [...second, user('u3', '3')] })
  await saveChat({ ...at('retry'), messages: [...second, user('u3', '3'), assistant('a3')] })
  expect(await tree('retry')).toEqual([...turnsTree, ['u3', 'a2'], ['a3', 'u3']])
  expect(await revisions('retry')).toEqual(['0', '0', '0', '0', '0', '0'])
})

test('another answer stands beside the first, to the last question and to an older one', async () => {
  await saveChat({ ...at('anew'), messages: turns })
  await saveChat({ ...at('anew'), messages: [...turns.slice(0, 3), assistant('a2-b')] })
  expect(await idsOf('anew')).toEqual(['u1', 'a1', 'u2', 'a2-b'])
  await saveChat({ ...at('anew'), messages: [...turns.slice(0, 1), assistant('a1-b')] })
  expect(await idsOf('anew')).toEqual(['u1', 'a1-b'])
  expect(await tree('anew')).toEqual([...turnsTree, ['a2-b', 'u2'], ['a1-b', 'u1']])
})

test('a chat is read along the active path: the path that was saved last, or that somebody chose', async () => {
  await saveChat({ ...at('chosen'), messages: turns })
  await saveChat({ ...at('chosen'), messages: [...turns.slice(0, 1), assistant('a1-b', { type: 'text', text: 'B' })] })
  expect(await idsOf('chosen')).toEqual(['u1', 'a1-b'])
  const ada = bed.server.as()
  const query = '{ conversation(id: "chosen") { message(clientId: "a2") { id } } }'
  const { id } = (await ada.get(query)).conversation.message
  await ada.get('mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { message { id } } }', { id })
  expect(await idsOf('chosen')).toEqual(['u1', 'a1', 'u2', 'a2'])
  const window = await readModelMessages({ ...at('chosen'), maxTokens: 1_000 })
  expect(JSON.stringify(window?.messages)).not.toContain('"B"')
})

test('a changed question is a version beside the old one, and each goes on with its own answers', async () => {
  await saveChat({ ...at('edit'), messages: turns })
  const changed = [...turns.slice(0, 2), user('u2', 'two'), assistant('a3')]
  await saveChat({ ...at('edit'), messages: changed })
  expect(await tree('edit')).toEqual([...turnsTree, ['u2~version-2', 'a1'], ['a3', 'u2~version-2']])
  const loaded = await loadChat(at('edit'))
  expect(loaded).toEqual(changed.with(2, user('u2~version-2', 'two')))
  // The tab that changed it goes on, so does one that has loaded it, and one that has the old question.
  await saveChat({ ...at('edit'), messages: [...changed, user('u4', '4')] })
  await saveChat({ ...at('edit'), messages: [...loaded.slice(0, 3), assistant('a5')] })
  await saveChat({ ...at('edit'), messages: [...changed.slice(0, 3), assistant('a6')] })
  await saveChat({ ...at('edit'), messages: [...turns.slice(0, 3), assistant('a7')] })
  const longer = { ...user('u2~version-2', 'two'), parts: [...user('', 'two').parts, ...user('', 'three').parts] }
  await saveChat({ ...at('edit'), messages: [...loaded.slice(0, 2), longer] })
  expect((await tree('edit')).slice(6)).toEqual([
    ['u4', 'a3'],
    ['a5', 'u2~version-2'],
    ['a6', 'u2~version-2'],
    ['a7', 'u2'],
    ['u2~version-3', 'a1'],
  ])
  await saveChat({ ...at('edit'), messages: [user('u1', 'first'), assistant('a8')] })
  expect((await tree('edit')).slice(11)).toEqual([
    ['u1~version-2', null],
    ['a8', 'u1~version-2'],
  ])
  expect(await idsOf('edit')).toEqual(['u1~version-2', 'a8'])
})

test('of one question that many clients change at once every version is kept', async () => {
  await saveChat({ ...at('edits'), messages: turns })
  const texts = ['a', 'b', 'c', 'd', 'b']
  await Promise.all(texts.map((text) => saveChat({ ...at('edits'), messages: [user('u1', text)] })))
  const query = '{ conversation(id: "edits") { messages { nodes { content parentId } } } }'
  const { nodes } = (await bed.server.as().get(query)).conversation.messages
  const firsts = nodes.filter(({ parentId }: { parentId: string }) => parentId === 'edits')
  expect(firsts.map(({ content }: { content: string }) => content).sort()).toEqual(['1', 'a', 'b', 'c', 'd'])
})

test('what a list lacks stays: the end of a chat alone, a chat without its middle, and a new message alone', async () => {
  await saveChat({ ...at('trimmed'), messages: turns })
  await saveChat({ ...at('trimmed'), messages: [...turns.slice(3), user('u3', '3'), assistant('a3')] })
  await saveChat({ ...at('trimmed'), messages: [...turns.slice(0, 1), assistant('a3'), user('u4', '4')] })
  await saveChat({ ...at('trimmed'), messages: [user('u5', '5'), assistant('a5')] })
  await saveChat({ ...at('trimmed'), messages: [user('u5', 'five'), assistant('a6')] })
  await saveChat({ ...at('trimmed'), messages: [] })
  expect(await idsOf('trimmed')).toEqual(['u1', 'a1', 'u2', 'a2', 'u3', 'a3', 'u4', 'u5~version-2', 'a6'])
  expect((await tree('trimmed')).slice(4)).toEqual([
    ['u3', 'a2'],
    ['a3', 'u3'],
    ['u4', 'a3'],
    ['u5', 'u4'],
    ['a5', 'u5'],
    ['u5~version-2', 'u4'],
    ['a6', 'u5~version-2'],
  ])
})

test('what another program has changed is not changed back by a client that has not seen it', async () => {
  await saveChat({ ...at('corrected'), messages: turns })
  const edit = `mutation ($parts: [JSON!]) { editMessage(input: {
    conversationId: "corrected", clientId: "u1", parts: $parts }) { message { id } } }`
  await bed.server.as().get(edit, { parts: user('u1', 'first').parts })
  await saveChat({ ...at('corrected'), messages: [...turns, user('u3', '3')] })
  const loaded = await loadChat(at('corrected'))
  expect(loaded).toEqual([user('u1', 'first'), ...turns.slice(1), user('u3', '3')])
})

const remove = `mutation ($id: ID!, $clientId: String!) {
  deleteMessage(input: { conversationId: $id, clientId: $clientId }) { message { id } } }`

test('what was deleted stays so: a client that still has it goes on after it, and neither changes nor answers it', async () => {
  await saveChat({ ...at('deleted'), messages: turns })
  for (const clientId of ['u2', 'a2']) await bed.server.as().get(remove, { id: 'deleted', clientId })
  await saveChat({ ...at('deleted'), messages: [...turns, user('u3', '3'), assistant('a3')] })
  expect(await idsOf('deleted')).toEqual(['u1', 'a1', 'u3', 'a3'])
  const rejected = [
    turns,
    turns.slice(0, 3),
    [...turns.slice(0, 3), assistant('b')],
    [user('u2', 'two')],
    [assistant('a2', { type: 'text', text: 'Two.' })],
  ]
  for (const messages of rejected) {
    await expect(saveChat({ ...at('deleted'), messages })).rejects.toThrow(/was deleted/)
  }
  expect(await tree('deleted')).toEqual([...turnsTree, ['u3', 'a2'], ['a3', 'u3']])
})

test('after the last turn was deleted a chat goes on in one line', async () => {
  await saveChat({ ...at('shortened'), messages: turns })
  for (const clientId of ['u2', 'a2']) await bed.server.as().get(remove, { id: 'shortened', clientId })
  await saveChat({ ...at('shortened'), messages: [...turns.slice(0, 2), user('u3', '3')] })
  expect(await tree('shortened')).toEqual([...turnsTree, ['u3', 'a2']])
})

test('an answer that is still streaming was not seen: what a client adds meanwhile is a branch', async () => {
  await saveChat({ ...at('streaming'), messages: turns })
  const start = 'mutation { startMessage(input: { conversationId: "streaming", clientId: "s" }) { attempt } }'
  await bed.server.as().get(start)
  await saveChat({ ...at('streaming'), messages: [...turns, user('u3', '3')] })
  await saveChat({ ...at('streaming'), messages: [...turns, assistant('s', { type: 'text', text: 'S' })] })
  expect(await tree('streaming')).toEqual([...turnsTree, ['s', 'a2'], ['u3', 'a2']])
})

test('branches of more messages than go at once are a path each, also at once', async () => {
  await saveChat({ ...at('long'), messages: turns })
  const chats = ['x', 'y'].map((name) => [
    ...turns.slice(0, 1),
    ...Array.from({ length: 230 }, (_, n) => user(`${name}-${n}`, String(n))),
  ])
  await Promise.all(chats.map((messages) => saveChat({ ...at('long'), messages })))
  for (const [index, chat] of chats.entries()) {
    const messages = [...chat, user(`last-${index}`, '!')]
    await saveChat({ ...at('long'), messages })
    expect(await loadChat(at('long'))).toEqual(messages)
  }
})

const asked = { type: 'tool-weather', ...call, state: 'input-available' } as const
const requested = { type: 'tool-weather', ...call, state: 'approval-requested', approval: { id: 'p' } } as const
const allowed = { ...requested, state: 'approval-responded', approval: { id: 'p', approved: true } } as const
const refused = { ...requested, state: 'approval-responded', approval: { id: 'p', approved: false } } as const
const denied = { ...refused, state: 'output-denied' } as const
const result = { ...allowed, state: 'output-available', output: { degrees: 3 } } as const
const words = { type: 'text', text: 'Three.', state: 'done' } as const
const begun = { type: 'text', text: 'Th', state: 'streaming' } as const

const told = (metadata: object, ...parts: UIMessage['parts']): UIMessage => ({ ...assistant('a', ...parts), metadata })

/** An answer as it goes on: each state says all that the one before says. */
const states: UIMessage[] = [
  told({ model: 'm' }),
  told({ model: 'm' }, { ...asked, state: 'input-streaming', input: { city: 'K' } }),
  told({ model: 'm', tokens: 1 }, asked),
  told({ model: 'm', tokens: 1 }, requested),
  told({ model: 'm', tokens: 1 }, allowed),
  told({ model: 'm', tokens: 2 }, { ...result, preliminary: true }),
  told({ model: 'm', tokens: 2 }, result, begun),
  told({ model: 'm', tokens: 9 }, result, words),
  told({ model: 'm', tokens: 9, at: 'noon' }, result, words),
]

test('an answer goes on in its place, and no client that is behind turns it back', async () => {
  for (const [index, state] of states.entries()) {
    await saveChat({ ...at('states'), messages: [user('q', '?'), state] })
    for (const earlier of states.slice(0, index)) {
      await saveChat({ ...at('states'), messages: [user('q', '?'), earlier] })
    }
    expect(await loadChat(at('states'))).toEqual([user('q', '?'), state])
  }
  await saveChat({ ...at('states'), messages: [user('q', '?'), states[6] as UIMessage, user('q2', '!')] })
  const links = [
    ['q', null],
    ['a', 'q'],
    ['q2', 'a'],
  ]
  expect(await tree('states')).toEqual(links)
  await saveChat({ ...at('behind'), messages: [user('q', '?'), assistant('a', requested), user('q2', '!')] })
  await saveChat({ ...at('behind'), messages: [user('q', '?'), assistant('a', result, words)] })
  expect(await loadChat(at('behind'))).toEqual([user('q', '?'), assistant('a', result, words), user('q2', '!')])
  expect(await tree('behind')).toEqual(links)
})

test('clients that go on with one answer at once, each further than the others, end with the furthest', async () => {
  await saveChat({ ...at('race'), messages: [user('q', '?'), states[0] as UIMessage] })
  await Promise.all(states.toReversed().map((state) => saveChat({ ...at('race'), messages: [user('q', '?'), state] })))
  expect(await loadChat(at('race'))).toEqual([user('q', '?'), states.at(-1)])
  expect(await tree('race')).toHaveLength(2)
})

test.each([
  ['results of one call', assistant('a', result, words), assistant('a', denied)],
  ['responses to one request', assistant('a', allowed), assistant('a', refused)],
  ['a denial, and a response before it', assistant('a', denied), assistant('a', allowed)],
  ['texts', assistant('a', words), assistant('a', { ...words, text: 'Four.' })],
  ['streamed texts', assistant('a', begun), assistant('a', { ...words, text: 'Four.' })],
  ['kinds of parts', assistant('a', begun), assistant('a', { ...words, type: 'reasoning' })],
  ['metadata', told({ liked: true }), told({ liked: false })],
  ['metadata without a field', told({ n: 1 }, words), told({ m: 1 }, words, words)],
  ['inputs', assistant('a', asked), assistant('a', { ...result, input: { city: 'Bonn' } })],
  ['calls', assistant('a', asked), assistant('a', { ...result, toolCallId: 'c-9' })],
])('of an answer that two clients have gone on with differently both are kept: %s', async (name, one, other) => {
  const id = `both: ${name}`
  await saveChat({ ...at(id), messages: [user('q', '?'), one] })
  await saveChat({ ...at(id), messages: [user('q', '?'), other, user('q2', '!')] })
  await saveChat({ ...at(id), messages: [user('q', '?'), one, user('q3', '!')] })
  expect(await tree(id)).toEqual([
    ['q', null],
    ['a', 'q'],
    ['a~version-2', 'q'],
    ['q2', 'a~version-2'],
    ['q3', 'a'],
  ])
  expect((await loadChat(at(id)))[1]).toEqual(one)
})

test('a message that would stand before one that is saved is refused, and nothing is written', async () => {
  await saveChat({ ...at('order'), messages: [user('1', '1'), user('2', '2')] })
  const messages = [user('1', '1'), user('new', 'new'), user('2', 'two')]
  await expect(saveChat({ ...at('order'), messages })).rejects.toThrow(RangeError)
  await saveChat({ ...at('order'), messages: [user('2', '2'), user('1', '1')] })
  expect((await loadChat(at('order'))).map(({ id }) => id)).toEqual(['1', '2'])
})

test('a result goes into the latest call of its id that has none', async () => {
  const ada = bed.server.as()
  const call = (input: number) => ({
    role: 'ASSISTANT',
    toolCalls: [{ callId: 'again', name: 'f', arguments: `${input}` }],
  })
  const result = (content: string) => ({ role: 'TOOL', toolCallId: 'again', content })
  for (const message of [call(1), call(2), result('"two"'), result('"one"'), result('"none"'), call(3), result('3')]) {
    await ada.append('repeated', message)
  }
  const loaded = await loadChat(at('repeated'))
  expect(loaded.flatMap(({ parts }) => parts)).toMatchObject([
    { input: 1, output: 'one' },
    { input: 2, output: 'two' },
    { input: 3, output: 3 },
  ])
})

test('what other programs have stored is shown, with results in their calls, and can be saved with the rest', async () => {
  const ada = bed.server.as()
  await ada.append('foreign', { role: 'USER', content: 'Q', clientId: 'q' })
  const toolCalls = ['c-1', 'c-2', 'c-3'].map((callId) => ({ callId, name: 'f', arguments: '{"a":1}' }))
  await ada.append('foreign', { role: 'ASSISTANT', content: 'A', toolCalls })
  await ada.append('foreign', { role: 'TOOL', toolCallId: 'c-2', content: 'no', toolError: true })
  await ada.append('foreign', { role: 'TOOL', toolCallId: 'c-1', content: '{"b":2}' })
  // An answer that failed before its first word.
  const { startMessage } = await ada.get(
    'mutation { startMessage(input: { conversationId: "foreign" }) { attempt message { id } } }',
  )
  await ada.get(
    'mutation ($id: ID!) { completeMessage(input: { messageId: $id, attempt: 1, chunks: 0, status: FAILED }) { replayed } }',
    { id: startMessage.message.id },
  )
  expect(await loadChat(at('foreign'))).toHaveLength(2)
  const [question, answer] = (await loadChat(at('foreign'))) as [UIMessage, UIMessage]
  const part = { type: 'dynamic-tool', toolName: 'f', input: { a: 1 } }
  expect(question).toEqual(user('q', 'Q'))
  expect(answer.parts).toEqual([
    { type: 'text', text: 'A' },
    { ...part, toolCallId: 'c-1', state: 'output-available', output: { b: 2 } },
    { ...part, toolCallId: 'c-2', state: 'output-error', errorText: 'no' },
    { ...part, toolCallId: 'c-3', state: 'input-available' },
  ])
  await saveChat({ ...at('foreign'), messages: [question, answer, user('q2', 'more')] })
  // The question continues the results, and what failed after them.
  const query = '{ conversation(id: "foreign") { messages { nodes { siblings { count } revision } } } }'
  const { nodes } = (await ada.get(query)).conversation.messages
  expect(nodes.map(({ siblings }: { siblings: { count: number } }) => siblings.count)).toEqual([1, 1, 1, 1, 1, 1])
  expect(await revisions('foreign')).toEqual(['0', '0', '0', '0', expect.anything(), '0'])
  // A result after other words of the user answers none of the calls before them.
  await ada.append('foreign', { role: 'TOOL', toolCallId: 'c-3', content: 'late' })
  expect((await loadChat(at('foreign')))[1]).toEqual(answer)
  const last = { ...part, toolCallId: 'c-3', state: 'output-available', output: 3 } as const
  const answered = { ...answer, parts: [...answer.parts.slice(0, 3), last] } as UIMessage
  await saveChat({ ...at('foreign'), messages: [question, answered, user('q2', 'more')] })
  expect((await loadChat(at('foreign')))[1]).toEqual(answered)
  const changed = { ...answer, parts: [{ type: 'text', text: 'B' }] } as UIMessage
  await saveChat({ ...at('foreign'), messages: [question, changed, user('q3', '?')] })
  const version = { ...changed, id: `${answer.id}~version-2` }
  expect(await loadChat(at('foreign'))).toEqual([question, version, user('q3', '?')])
})

/** What `useChat` of every framework is made of. */
class Chat extends AbstractChat<UIMessage> {
  constructor(init: { id: string; messages: UIMessage[]; transport: DefaultChatTransport<UIMessage> }) {
    const state: ChatState<UIMessage> = {
      status: 'ready',
      error: undefined,
      messages: init.messages,
      pushMessage: (message) => void state.messages.push(message),
      popMessage: () => void state.messages.pop(),
      replaceMessage: (index, message) => void state.messages.splice(index, 1, message),
      snapshot: (thing) => structuredClone(thing),
    }
    super({ ...init, state })
  }
}

const usage = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 2, text: 2, reasoning: 0 },
}

type Piece = Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never

const asking = (): Piece[] => [
  { type: 'reasoning-start', id: 'r' },
  { type: 'reasoning-delta', id: 'r', delta: 'Ask.' },
  { type: 'reasoning-end', id: 'r', providerMetadata: metadata },
  { type: 'tool-call', toolCallId: generateId(), toolName: 'weather', input: '{"city":"Köln"}' },
  { type: 'finish', usage, finishReason: { unified: 'tool-calls', raw: 'tool_calls' } },
]
const telling: Piece[] = [
  { type: 'text-start', id: 't' },
  { type: 'text-delta', id: 't', delta: 'Three ' },
  { type: 'text-delta', id: 't', delta: 'degrees.' },
  { type: 'text-end', id: 't' },
  { type: 'finish', usage, finishReason: { unified: 'stop', raw: 'stop' } },
]

/** A model that asks for the weather, and then tells it. */
const weatherModel = () =>
  new MockLanguageModelV4({
    doStream: async ({ prompt }) => ({
      stream: simulateReadableStream({
        chunkDelayInMs: null,
        initialDelayInMs: null,
        chunks: prompt.at(-1)?.role === 'tool' ? telling : asking(),
      }),
    }),
  })

const tools = {
  weather: tool({
    inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
    execute: async ({ city }) => ({ city, degrees: 3 }),
  }),
}

/** The route of the README, with another server, model and tools. */
const readme = await readFile('client/README.md', 'utf8')
const [, block = ''] = /```ts\n(import \{ saveChat \}[\s\S]*?)```/.exec(readme) ?? []
const route = stripTypeScriptTypes(block)
  .replace(/import [^']*'[^']*'/g, '')
  .replace('export async function POST', 'return async function POST')

interface Around {
  readonly model?: () => MockLanguageModelV4
  readonly tools?: ToolSet
}

function answerWith({ model = weatherModel, tools: own = tools }: Around): (request: Request) => Promise<Response> {
  const names = {
    saveChat: ({ conversationId, messages }: { conversationId: string; messages: UIMessage[] }) =>
      saveChat({ ...at(conversationId), messages }),
    openai: model,
    tools: own,
    toUIMessageStream: (options: Parameters<typeof toUIMessageStream>[0]) =>
      toUIMessageStream({
        ...options,
        messageMetadata: ({ part }) => (part.type === 'finish' ? { tokens: part.totalUsage.totalTokens } : undefined),
      }),
    ...{ convertToModelMessages, createUIMessageStreamResponse, generateId, stepCountIs, streamText },
  }
  return new Function(...Object.keys(names), route)(...Object.values(names))
}

/** A tab that is opened on a chat. */
async function openTab(
  id: string,
  options: ConstructorParameters<typeof DefaultChatTransport<UIMessage>>[0] = {},
  around: Around = {},
) {
  const answer = answerWith(around)
  const fetch = async (url: unknown, init?: RequestInit) => answer(new Request(url as string, init))
  const transport = new DefaultChatTransport<UIMessage>({ api: 'http://localhost/', fetch, ...options })
  return new Chat({ id, messages: await loadChat(at(id)), transport })
}

test('a chat of useChat goes on where it was after a reload, and another answer takes the place of the first', async () => {
  const first = await openTab('useChat')
  await first.sendMessage({ text: 'How cold is it?' })
  expect(first.error).toBeUndefined()
  expect(await loadChat(at('useChat'))).toEqual(json(first.messages))
  expect(first.messages).toHaveLength(2)

  const second = await openTab('useChat')
  await second.sendMessage({ text: 'And now?' })
  expect(await loadChat(at('useChat'))).toEqual(json(second.messages))
  expect(await validateUIMessages({ messages: await loadChat(at('useChat')) })).toHaveLength(4)
  expect(await convertToModelMessages(await loadChat(at('useChat')))).toEqual(
    await convertToModelMessages(second.messages),
  )

  const before = second.messages.at(-1)?.id
  await second.regenerate()
  expect(second.messages.at(-1)?.id).not.toBe(before)
  expect(await loadChat(at('useChat'))).toEqual(json(second.messages))
  expect(await tree('useChat')).toHaveLength(5)
})

/** A model that says some words, and then what `then` does with its stream. */
const slowModel = (then: (stream: ReadableStreamDefaultController<Piece>) => void) => {
  const pieces = telling.slice(0, 2)
  return new MockLanguageModelV4({
    doStream: async ({ abortSignal }) => ({
      stream: new ReadableStream<Piece>({
        start: (stream) => {
          abortSignal?.addEventListener('abort', () => stream.error(abortSignal.reason))
        },
        // Piece by piece: an error drops what nobody has taken.
        pull: (stream) => {
          const piece = pieces.shift()
          if (piece === undefined) then(stream)
          else stream.enqueue(piece)
        },
      }),
    }),
  })
}

test('a reload in the middle shows the question, and what was said is there after a stop, and after a failure', async () => {
  const asked = Promise.withResolvers<void>()
  const tab = await openTab('middle', {}, { model: () => slowModel(() => asked.resolve()) })
  const sent = tab.sendMessage({ text: 'How cold is it?' })
  await asked.promise
  expect(await loadChat(at('middle'))).toEqual(json(tab.messages.slice(0, 1)))
  await until(() => tab.messages.length === 2)
  await tab.stop()
  await sent
  await until(async () => (await loadChat(at('middle'))).length === 2)
  const stopped = (await loadChat(at('middle')))[1]
  expect(stopped?.parts).toMatchObject([{ type: 'step-start' }, { type: 'text', text: 'Three ' }])
  const failing = await openTab('middle', {}, { model: () => slowModel((stream) => stream.error(new Error('away'))) })
  await failing.sendMessage({ text: 'And now?' })
  expect(failing.error).toBeDefined()
  await until(async () => (await loadChat(at('middle'))).length === 4)
  const loaded = await loadChat(at('middle'))
  expect(loaded[3]?.parts).toMatchObject([{ type: 'step-start' }, { type: 'text', text: 'Three ' }])
  expect(loaded[2]).toMatchObject({ role: 'user', parts: [{ text: 'And now?' }] })
  const again = await openTab('middle')
  await again.regenerate()
  expect(again.error).toBeUndefined()
  expect(await loadChat(at('middle'))).toEqual(json(again.messages))
  expect((await loadChat(at('middle'))).map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
})

test('a model that fails before its first word leaves the question alone', async () => {
  const away = () =>
    new MockLanguageModelV4({
      doStream: async () => {
        throw new Error('away')
      },
    })
  const tab = await openTab('away', {}, { model: away })
  await tab.sendMessage({ text: 'How cold is it?' })
  expect(tab.error?.message).toBe('The model could not answer.')
  expect((await loadChat(at('away'))).map(({ role }) => role)).toEqual(['user'])
  expect(await tree('away')).toHaveLength(1)
})

test('a call that waits for approval is shown after a reload, and its approval is stored before the tool runs', async () => {
  const seen: UIMessage[][] = []
  const guarded = {
    weather: tool({
      ...tools.weather,
      needsApproval: true,
      execute: async ({ city }: { city: string }) => {
        seen.push(await loadChat(at('approval')))
        return { city, degrees: 3 }
      },
    }),
  }
  const tab = await openTab('approval', {}, { tools: guarded })
  await tab.sendMessage({ text: 'How cold is it?' })
  const states = (chat: readonly UIMessage[]) =>
    chat.flatMap(({ parts }) => parts.flatMap((part) => ('state' in part && 'toolCallId' in part ? [part.state] : [])))
  const later = await openTab('approval', {}, { tools: guarded })
  expect(states(later.messages)).toEqual(['approval-requested'])
  const part = later.messages[1]?.parts.find((one) => 'approval' in one) as { approval: { id: string } }
  await later.addToolApprovalResponse({ id: part.approval.id, approved: true })
  await later.sendMessage()
  expect(later.error).toBeUndefined()
  expect(seen.map(states)).toEqual([['approval-responded']])
  expect(states(await loadChat(at('approval')))).toEqual(['output-available'])
  expect(await loadChat(at('approval'))).toEqual(json(later.messages))
  expect(await tree('approval')).toHaveLength(2)
})

test('a question that cannot be saved asks no model, and the tab is told', async () => {
  const refusing = await openTab(
    'refused',
    {},
    {
      model: () => {
        throw new Error('It was asked.')
      },
    },
  )
  refusing.messages = [user('u', 'a\0b')]
  await refusing.sendMessage({ text: 'How cold is it?' })
  expect(refusing.error?.message).not.toBe('It was asked.')
  expect(await loadChat(at('refused'))).toEqual([])
})

test('tabs of useChat on one chat lose nothing of one another: turns, other answers and changed questions', async () => {
  const first = await openTab('tabs')
  await first.sendMessage({ text: 'How cold is it?' })
  const [second, third] = [await openTab('tabs'), await openTab('tabs')]
  await first.sendMessage({ text: 'And now?' })
  const [u1, a1, u2, a2] = first.messages.map(({ id }) => id) as [string, string, string, string]
  await second.sendMessage({ text: 'And here?' })
  expect(await loadChat(at('tabs'))).toEqual(json(second.messages))
  await third.sendMessage({ text: 'How warm is it?', messageId: u1 })
  const version = `${u1}~version-2`
  expect(await loadChat(at('tabs'))).toEqual(json([{ ...third.messages[0], id: version }, third.messages[1]]))
  await first.regenerate({ messageId: a1 })
  expect(await loadChat(at('tabs'))).toEqual(json(first.messages))
  await third.sendMessage({ text: 'And now?' })
  expect((await loadChat(at('tabs'))).slice(1)).toEqual(json(third.messages.slice(1)))
  const ids = (chat: Chat) => chat.messages.map(({ id }) => id)
  expect(await tree('tabs')).toEqual([
    [u1, null],
    [a1, u1],
    [u2, a1],
    [a2, u2],
    [ids(second)[2], a1],
    [ids(second)[3], ids(second)[2]],
    [version, null],
    [ids(third)[1], version],
    [ids(first)[1], u1],
    [ids(third)[2], ids(third)[1]],
    [ids(third)[3], ids(third)[2]],
  ])
  for (const { error } of [first, second, third]) expect(error).toBeUndefined()
})

test('a useChat that sends its last message alone goes on with the chat', async () => {
  const tab = await openTab('last only', {
    prepareSendMessagesRequest: ({ id, messages }) => ({ body: { id, messages: messages.slice(-1) } }),
  })
  await tab.sendMessage({ text: 'How cold is it?' })
  await tab.sendMessage({ text: 'And now?' })
  expect(await loadChat(at('last only'))).toEqual(json(tab.messages))
  await tab.regenerate()
  expect(await loadChat(at('last only'))).toEqual(json(tab.messages))
  expect(await tree('last only')).toHaveLength(5)
})

test('a model is given as much of a saved chat as fits, with calls and their results together', async () => {
  const output = { type: 'tool-weather', ...call, state: 'output-available', output: { degrees: 3 } } as const
  const turns = Array.from({ length: 20 }, (_, n) => [
    user(`q-${n}`, `Question ${n}?`),
    assistant(`a-${n}`, { ...output, toolCallId: `c-${n}` }, { type: 'text', text: `Answer ${n}.` }),
  ])
  await saveChat({ ...at('window'), messages: turns.flat() })
  const window = await readModelMessages({ ...at('window'), maxTokens: 200, system: 'Be brief.' })
  const model = weatherModel()
  await streamText({ model, ...window, messages: window?.messages ?? [] }).consumeStream()
  const [{ prompt } = { prompt: [] }] = model.doStreamCalls
  expect(prompt.slice(0, 2)).toMatchObject([{ role: 'system', content: 'Be brief.' }, { role: 'user' }])
  expect(JSON.stringify(prompt)).toContain('Answer 19.')
  expect(JSON.stringify(prompt)).not.toContain('Question 0?')
  expect(window?.omitted.reasons).toEqual(['BUDGET'])
  const parts = (type: string) =>
    prompt.flatMap(({ content }) => (typeof content === 'string' ? [] : content.filter((part) => part.type === type)))
  expect(parts('tool-call').length).toBeGreaterThan(0)
  expect(parts('tool-result')).toHaveLength(parts('tool-call').length)
  expect(await readModelMessages({ ...at('no such chat'), maxTokens: 200 })).toBeNull()
})

test('a tool that people have allowed runs when the model goes on, and one that they have not allowed does not', async () => {
  const asked = (toolCallId: string, approved: boolean): UIMessage['parts'][number] => ({
    type: 'tool-look',
    toolCallId,
    state: 'approval-responded',
    input: { at: toolCallId },
    approval: { id: `ask-${toolCallId}`, approved },
  })
  await saveChat({
    ...at('allowed'),
    messages: [user('q', 'What?'), assistant('a', { type: 'step-start' }, asked('yes', true), asked('no', false))],
  })
  const window = await readModelMessages({ ...at('allowed'), maxTokens: 1000 })
  expect(window?.pendingCalls).toMatchObject([{ callId: 'yes', name: 'look', approved: true }])
  const ran: unknown[] = []
  const look = tool({
    inputSchema: jsonSchema<{ at: string }>({ type: 'object' }),
    needsApproval: true,
    execute: (input) => {
      ran.push(input)
      return 'a cat'
    },
  })
  const model = weatherModel()
  await streamText({ model, messages: window?.messages ?? [], tools: { look } }).consumeStream()
  expect(ran).toEqual([{ at: 'yes' }])
  const outputs = model.doStreamCalls[0]?.prompt.flatMap(({ role, content }) => (role === 'tool' ? content : []))
  expect(outputs).toMatchObject([
    { toolCallId: 'yes', output: { type: 'text', value: 'a cat' } },
    { toolCallId: 'no', output: { type: 'execution-denied' } },
  ])
  const finished = await readModelMessages({ ...at('allowed'), maxTokens: 1000, pendingCalls: 'OMIT' })
  expect(JSON.stringify(finished?.messages)).not.toContain('"yes"')
})
