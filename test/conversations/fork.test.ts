import { describe, expect, test } from 'vitest'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { countStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { patient } from '../support/patient.ts'

const fork = `mutation ($input: ForkConversationInput!) { forkConversation(input: $input) {
  conversation { id title metadata lastSeq archivedAt createdAt updatedAt activeLeaf { seq } } } }`
const appendMany = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { messages { id seq } } }`
const choose = 'mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { conversation { id } } }'
const content = `seq role name content parts partsFormat toolCalls { callId name arguments type extra } toolName toolCallId
  toolError model finishReason usage metadata clientId status sentAt createdAt updatedAt editedAt deletedAt
  error { code message } stopRequestedAt`
const readAll = `query ($id: ID!) { conversation(id: $id) { lastSeq activeLeaf { seq } history(last: 1000) { seq }
  messages(first: 100) { nodes { id parentId revision ${content} } } } }`

const user = (text: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  role: 'USER',
  content: text,
  ...more,
})

interface Node {
  readonly id: string
  readonly parentId: string
  readonly seq: number
  readonly revision: string
}

async function read(ada: Api, id: string) {
  const { conversation } = await ada.get(readAll, { id })
  const nodes: Node[] = conversation.messages.nodes
  const seqOf = new Map(nodes.map((node) => [node.id, node.seq]))
  const parents = nodes.map(({ parentId }) => (parentId === id ? 0 : (seqOf.get(parentId) ?? -1)))
  const contents = nodes.map(({ id: _id, parentId: _parentId, revision: _revision, ...rest }) => rest)
  return { ...conversation, nodes, parents, contents, history: conversation.history.map(({ seq }: Node) => seq) }
}

async function store(ada: Api, conversationId: string, messages: object[]): Promise<string[]> {
  const input = { conversationId, ifMissing: 'CREATE', messages }
  const { appendMessages } = await ada.get(appendMany, { input })
  return appendMessages.messages.map(({ id }: Node) => id)
}

describe('a fork', () => {
  const bed = useBed(patient)

  async function storeTree(ada: Api, id: string): Promise<string[]> {
    const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }'
    await ada.get(create, { input: { id, title: 'The title', metadata: { a: 1 } } })
    const rich = {
      role: 'ASSISTANT',
      name: 'planner',
      parts: [{ type: 'text', text: 'Let me look.' }],
      partsFormat: 'ANTHROPIC',
      toolCalls: [{ callId: 'call_1', name: 'find', arguments: '{"q":  1}', extra: { index: 0 } }],
      model: 'm-1',
      finishReason: 'tool_calls',
      usage: { total: 12 },
      metadata: { trace: ['a'] },
      clientId: 'rich',
      sentAt: '2026-01-31T09:30:00.12Z',
    }
    const result = { role: 'TOOL', toolCallId: 'call_1', toolName: 'find', toolError: true, content: 'none' }
    const ids = await store(ada, id, [user('q'), rich, result, user('thanks', { clientId: 'gone' })])
    ids.push(...(await store(ada, id, [user('q, better', { parentId: ids[0] }), user('anew', { parentId: id })])))
    await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', { id: ids[3] })
    await ada.get(
      'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "edited" }) { message { id } } }',
      {
        id: ids[0],
      },
    )
    await ada.get(choose, { id: ids[2] })
    return ids
  }

  test('copies title, metadata and every message of all branches, whole, with places, parents and times', async () => {
    const ada = bed.server.as()
    await storeTree(ada, 'source')
    await ada.get('mutation { updateConversation(input: { id: "source", archived: true }) { conversation { id } } }')
    const { conversation } = (await ada.get(fork, { input: { id: 'source', newId: 'copy' } })).forkConversation
    expect(conversation).toMatchObject({
      id: 'copy',
      title: 'The title',
      metadata: { a: 1 },
      lastSeq: 6,
      archivedAt: null,
    })
    expect(conversation.createdAt).toBe(conversation.updatedAt)
    const [source, copy] = [await read(ada, 'source'), await read(ada, 'copy')]
    expect(copy.contents).toEqual(source.contents)
    expect(copy.parents).toEqual([0, 1, 2, 3, 1, 0])
    expect(copy.parents).toEqual(source.parents)
    expect([copy.activeLeaf.seq, copy.history]).toEqual([3, [1, 2, 3]])
    expect(copy.nodes.map(({ revision }: Node) => revision)).toEqual(['0', '0', '0', '0', '0', '0'])
    expect(new Set([...source.nodes, ...copy.nodes].map(({ id }) => id)).size).toBe(12)
  })

  test('up to a seq ends there, with what was chosen there as the leaf', async () => {
    const ada = bed.server.as()
    await storeTree(ada, 'whole')
    const take = async (upToSeq: number, newId: string) =>
      (await ada.get(fork, { input: { id: 'whole', newId, upToSeq } })).forkConversation.conversation
    expect(await take(5, 'five')).toMatchObject({ lastSeq: 5, activeLeaf: { seq: 5 } })
    expect(await read(ada, 'five')).toMatchObject({ parents: [0, 1, 2, 3, 1], history: [1, 5] })
    expect(await take(2, 'two')).toMatchObject({ lastSeq: 2, activeLeaf: { seq: 2 } })
    expect(await take(6, 'six')).toMatchObject({ lastSeq: 6, activeLeaf: { seq: 6 } })
    expect(await take(0, 'none')).toMatchObject({ lastSeq: 0, title: 'The title', activeLeaf: null })
    const beyond = await ada.fail(fork, { input: { id: 'whole', newId: 'seven', upToSeq: 7 } })
    expect(beyond.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.upToSeq' })
    const below = await ada.fail(fork, { input: { id: 'whole', newId: 'seven', upToSeq: -1 } })
    expect(below.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.upToSeq' })
    expect(await ada.get('{ conversation(id: "seven") { id } }')).toEqual({ conversation: null })
  })

  test('and its source go on apart: appends, branches, edits and client ids of one are not of the other', async () => {
    const ada = bed.server.as()
    const message = user('once', { clientId: 'c' })
    await ada.append('apart', message)
    await ada.get(fork, { input: { id: 'apart', newId: 'apart too' } })
    expect(await ada.append('apart too', message)).toMatchObject({ replayed: true, message: { seq: 1 } })
    const other = await ada.fail(appendMany, {
      input: { conversationId: 'apart too', messages: [{ ...message, content: 'twice' }] },
    })
    expect(other.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
    const [first] = (await read(ada, 'apart too')).nodes
    await ada.get(
      'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "changed" }) { message { id } } }',
      {
        id: first?.id,
      },
    )
    await ada.append('apart too', 'second')
    await ada.append('apart too', { ...user('beside'), parentId: first?.id })
    expect((await read(ada, 'apart')).contents).toMatchObject([{ content: 'once' }])
    expect(await read(ada, 'apart too')).toMatchObject({ parents: [0, 1, 1], history: [1, 3] })
  })

  test('takes the same few statements for any number of messages', async () => {
    const ada = bed.server.as()
    const messages = Array.from({ length: 100 }, (_, n) => user(`${n}`))
    const copy = 'mutation ($id: ID!) { forkConversation(input: { id: $id }) { conversation { lastSeq } } }'
    for (const [id, count] of [
      ['few', 2],
      ['many', 100],
    ] as const) {
      await store(ada, id, messages.slice(0, count))
      // begin, two locks, the measures, an empty conversation, its fields, the messages, their links, commit
      expect(await countStatements(bed.database, () => ada.get(copy, { id }))).toBe(9)
    }
  })

  test('is told to who watches the list, and has a feed of its own from the beginning', async () => {
    const eve = bed.server.as({ 'x-user-id': 'eve' })
    await using list = eve.subscribe(
      'subscription { conversationsChanged(after: "") { __typename ... on ConversationListed { conversation { id lastSeq } } } }',
    )
    const told = async () => (await list.take(1))[0]?.data.conversationsChanged
    expect(await told()).toEqual({ __typename: 'ConversationListCaughtUp' })
    await store(eve, 'told', [user('a'), user('b')])
    expect(await told()).toMatchObject({ conversation: { id: 'told' } })
    await eve.get(fork, { input: { id: 'told', newId: 'teller' } })
    expect(await told()).toEqual({ __typename: 'ConversationListed', conversation: { id: 'teller', lastSeq: 2 } })
    const events = 'subscription { conversationEvents(conversationId: "teller", after: "") { __typename } }'
    await using log = eve.subscribe(events)
    const kinds = (await log.take(4)).map(({ data }) => data.conversationEvents.__typename)
    expect(kinds).toEqual(['ConversationUpdated', 'MessageAppended', 'MessageAppended', 'CaughtUp'])
  })

  test('without a new id gets a UUIDv7; to an id that there is it is a CONFLICT, and changes nothing', async () => {
    const ada = bed.server.as()
    await ada.append('from', 'x')
    await ada.append('taken', 'y')
    await ada.get('mutation { createConversation(input: { id: "empty", title: "mine" }) { created } }')
    const { conversation } = (await ada.get(fork, { input: { id: 'from' } })).forkConversation
    expect(conversation.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    for (const newId of ['taken', 'empty', 'from']) {
      const error = await ada.fail(fork, { input: { id: 'from', newId } })
      expect(error.extensions).toMatchObject({ code: 'CONFLICT', reason: 'EXISTS' })
    }
    expect((await read(ada, 'taken')).contents).toMatchObject([{ content: 'y' }])
    expect(await ada.get('{ conversation(id: "empty") { title lastSeq } }')).toEqual({
      conversation: { title: 'mine', lastSeq: 0 },
    })
    const malformed = await ada.fail(fork, { input: { id: 'from', newId: 'msg_1' } })
    expect(malformed.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.newId' })
  })

  test('to the id of a deleted conversation is a new one, of which the old one has nothing', async () => {
    const ada = bed.server.as()
    await ada.append('fresh', 'x')
    for (const title of ['first', 'second']) {
      const many = Array.from({ length: 100 }, (_, i) => user(`old ${i}`, { clientId: `old ${i}` }))
      const ids = await store(ada, 'grave', many)
      for (let i = 0; i < 6; i++)
        await store(
          ada,
          'grave',
          many.map((one) => ({ ...one, clientId: `${one.clientId} ${i}` })),
        )
      await ada.get(choose, { id: ids[0] })
      const { cursor } = (await ada.get('{ conversation(id: "grave") { cursor } }')).conversation
      await ada.get('mutation { deleteConversation(input: { id: "grave" }) { deletedConversationId } }')
      await ada.get(
        'mutation ($title: String) { updateConversation(input: { id: "fresh", title: $title }) { conversation { id } } }',
        { title },
      )
      const { conversation } = (await ada.get(fork, { input: { id: 'fresh', newId: 'grave' } })).forkConversation
      expect(conversation).toMatchObject({ title, lastSeq: 1, activeLeaf: { seq: 1 } })
      expect((await read(ada, 'grave')).contents).toMatchObject([{ content: 'x' }])
      const page = 'query ($after: String) { conversation(id: "grave") { messages(after: $after) { nodes { id } } } }'
      expect((await ada.fail(page, { after: cursor })).extensions.code).toBe('CURSOR_EXPIRED')
    }
  })

  test('to the id of a deleted conversation that lived and died again meanwhile has nothing of that life', async () => {
    const ada = bed.server.as()
    await ada.append('source of one', 'x')
    await ada.get('mutation { createConversation(input: { id: "twice" }) { created } }')
    await ada.get('mutation { deleteConversation(input: { id: "twice" }) { deletedConversationId } }')
    const client = await bed.database.connect()
    const key = conversationKey('ada', 'twice')
    await client.query('begin')
    await client.query('update conversation set epoch = epoch + 1, last_seq = 2 where key = $1', [key])
    await client.query(
      `insert into message (conversation_key, seq, role, content, size, created_at, updated_at)
       values ($1, 2, 'USER', 'of that life', 0, now(), now())`,
      [key],
    )
    const forked = ada.get(fork, { input: { id: 'source of one', newId: 'twice' } })
    // It has seen the tombstone without messages, and waits for its row.
    await untilWaiting(bed.database)
    await client.query('commit')
    expect((await forked).forkConversation.conversation).toMatchObject({ id: 'twice', lastSeq: 1 })
    const stored = `select m.content from message m join conversation c on c.key = m.conversation_key where c.id = 'twice'`
    expect((await client.query(stored)).rows).toEqual([{ content: 'x' }])
  })

  test('two forks to one id at once make one', async () => {
    const ada = bed.server.as()
    await ada.append('one source', 'x')
    const forks = Array.from({ length: 8 }, () => ada.ask(fork, { input: { id: 'one source', newId: 'one copy' } }))
    const answers = await Promise.all(forks)
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(1)
    for (const { errors } of answers) if (errors) expect(errors[0]?.extensions).toMatchObject({ reason: 'EXISTS' })
  })

  test('crosswise forks of two conversations do not wait for one another for ever', async () => {
    const ada = bed.server.as()
    for (const id of ['this', 'that']) await ada.append(id, 'x')
    const forks = Array.from({ length: 40 }, (_, n) => {
      const [id, newId] = n % 2 === 0 ? ['this', 'that'] : ['that', 'this']
      return ada.fail(fork, { input: { id, newId } })
    })
    for (const { extensions } of await Promise.all(forks)) expect(extensions).toMatchObject({ reason: 'EXISTS' })
  })

  test('while its source is written holds what one moment held: no gap, and no message without its conversation', async () => {
    const ada = bed.server.as()
    await ada.append('busy', 'm1')
    const writes = Array.from({ length: 40 }, (_, i) => ada.append('busy', `m${i + 2}`))
    const forks = Array.from({ length: 10 }, (_, i) => ada.get(fork, { input: { id: 'busy', newId: `busy ${i}` } }))
    await Promise.all([...writes, ...forks])
    for (let i = 0; i < 10; i++) {
      const copy = await read(ada, `busy ${i}`)
      expect(copy.contents.map(({ seq }: { seq: number }) => seq)).toEqual(
        Array.from({ length: copy.lastSeq }, (_, n) => n + 1),
      )
      expect(copy.lastSeq).toBeGreaterThan(0)
    }
  })

  test('leaves out no message that is streaming: it is refused, and what comes before may be copied', async () => {
    const ada = bed.server.as()
    await ada.append('live', 'q')
    await ada.get('mutation { startMessage(input: { conversationId: "live" }) { attempt } }')
    const error = await ada.fail(fork, { input: { id: 'live', newId: 'still' } })
    expect(error.extensions).toMatchObject({ code: 'CONFLICT', reason: 'STREAMING', seq: 2 })
    const copied = await ada.get(fork, { input: { id: 'live', newId: 'still', upToSeq: 1 } })
    expect(copied.forkConversation.conversation.lastSeq).toBe(1)
  })
})

describe('the limits of a fork', () => {
  const bed = useBed({ MAX_FORK_MESSAGES: '5', MAX_FORK_BYTES: '1024' })

  test('are a number of messages', async () => {
    const ada = bed.server.as()
    await store(
      ada,
      'five',
      Array.from({ length: 5 }, () => user('x')),
    )
    expect((await ada.get(fork, { input: { id: 'five' } })).forkConversation.conversation.lastSeq).toBe(5)
    await ada.append('five', 'sixth')
    const error = await ada.fail(fork, { input: { id: 'five', newId: 'six' } })
    expect(error.extensions).toEqual({ code: 'PAYLOAD_TOO_LARGE', path: 'input.upToSeq', limit: 5, actual: 6 })
    const five = await ada.get(fork, { input: { id: 'five', newId: 'six', upToSeq: 5 } })
    expect(five.forkConversation.conversation.lastSeq).toBe(5)
  })

  test('are the bytes of their fields', async () => {
    const ada = bed.server.as()
    const bytes = 1024 - 2 * 'USER'.length
    await store(ada, 'fits', [user('x'.repeat(bytes - 10)), user('x'.repeat(10))])
    expect((await ada.get(fork, { input: { id: 'fits' } })).forkConversation.conversation.lastSeq).toBe(2)
    await store(ada, 'over', [user('x'.repeat(bytes - 10)), user('x'.repeat(11))])
    const error = await ada.fail(fork, { input: { id: 'over', newId: 'never' } })
    expect(error.extensions).toEqual({ code: 'PAYLOAD_TOO_LARGE', path: 'input.upToSeq', limit: 1024, actual: 1025 })
    expect(await ada.get('{ conversation(id: "never") { id } }')).toEqual({ conversation: null })
  })
})
