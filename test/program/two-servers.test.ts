import { readFileSync } from 'node:fs'
import { buildSchema, type FieldNode, type OperationDefinitionNode, parse } from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import { Api, type Results } from '../support/api.ts'
import { createDatabase } from '../support/database/database.ts'
import { isLong } from '../support/long.ts'
import { hasNats, NatsServer } from '../support/network/nats.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'

beforeAll(buildPrograms)

/** Two programs start, and some thirty questions are asked one after the other. */
const timeout = 300_000

/** Hints come from the other server, and not from the poll. */
const rarely = { POLL_MS: '600000' }

describe.each(isLong ? ['PostgreSQL', 'NATS'] : ['PostgreSQL'])('two servers with hints over %s', (bus) => {
  test('answer every field of the API, whichever is asked, and each tells what the other one did', { timeout }, async ({
    skip,
  }) => {
    skip(bus === 'NATS' && !hasNats, 'there is no nats-server (Debian: apt-get install nats-server)')
    await using nats = new NatsServer()
    const settings = bus === 'NATS' ? { ...rarely, NATS_URL: (await nats.start()).url } : rarely
    await using database = await createDatabase()
    await using first = await ServerProcess.start(database.url, settings)
    await using second = await ServerProcess.start(database.url, settings)
    const servers = [first, second].map(({ url }) => new Api(url, { 'x-user-id': 'ada' })) as [Api, Api]
    const left = rootFields()
    let turn = 0

    /** Each question goes to the other server than the one before. */
    async function ask(query: string, variables: Record<string, unknown> = {}) {
      for (const name of namesOf(query)) left.delete(name)
      return await (servers[turn++ % 2] as Api).get(query, variables)
    }
    function follow(server: Api, query: string, id?: string): Results {
      for (const name of namesOf(query)) left.delete(name)
      return server.subscribe(query, id === undefined ? {} : { id })
    }
    const mutate = async (field: string, type: string, input: object, selection: string) =>
      (await ask(`mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} } }`, { input }))[field]

    await mutate('createConversation', 'CreateConversationInput', { id: 'c', metadata: { a: 1 } }, 'created')
    const appended = 'subscription ($id: ID!) { messageAppended(conversationId: $id, after: "") { node { seq } } }'
    const events = 'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }'
    const listed = 'subscription { conversationsChanged { __typename } }'
    const feeds = servers.map((server) => follow(server, appended, 'c'))
    const changes = servers.map((server) => follow(server, events, 'c'))
    const lists = servers.map((server) => follow(server, listed))
    // They say when everything that was there has been told.
    for (const feed of changes) expect((await feed.next())?.data.conversationEvents.__typename).toBe('CaughtUp')
    for (const feed of lists) await until(feed, 'ConversationListCaughtUp')
    const queues = servers.map((server) => follow(server, 'subscription { waitingConversationsChanged { count } }'))
    const expectWaiting = async (count: number) => {
      for (const feed of queues) expect((await feed.next())?.data).toEqual({ waitingConversationsChanged: { count } })
    }
    await expectWaiting(0)

    const user = (clientId: string) => ({ role: 'USER', content: clientId, clientId })
    const { message } = await mutate(
      'appendMessage',
      'AppendMessageInput',
      { conversationId: 'c', message: user('1') },
      'message { id seq }',
    )
    for (const feed of feeds) expect((await feed.next())?.data.messageAppended.node.seq).toBe(1)
    for (const feed of changes) expect((await feed.next())?.data.conversationEvents.__typename).toBe('MessageAppended')
    for (const feed of lists) await until(feed, 'ConversationListed')
    const messages = [user('2'), user('3')]
    await mutate('appendMessages', 'AppendMessagesInput', { conversationId: 'c', messages }, 'messages { seq }')
    const edited = { messageId: message.id, content: 'edited' }
    expect((await mutate('editMessage', 'EditMessageInput', edited, 'message { content }')).message.content).toBe(
      'edited',
    )

    const started = await mutate(
      'startMessage',
      'StartMessageInput',
      { conversationId: 'c' },
      'attempt message { id seq }',
    )
    const messageId = started.message.id
    const text = { messageId, attempt: started.attempt, chunk: 0, text: 'Hello' }
    expect(await mutate('appendMessageText', 'AppendMessageTextInput', text, 'nextChunk')).toEqual({ nextChunk: 1 })
    expect(
      (await ask('query ($id: ID!) { messageChunks(messageId: $id) { text } }', { id: messageId })).messageChunks,
    ).toEqual([{ text: 'Hello' }])
    const { attempt } = await mutate('resumeMessage', 'ResumeMessageInput', { messageId }, 'attempt')
    await mutate('stopMessage', 'StopMessageInput', { messageId }, 'message { stopRequestedAt }')
    const end = { messageId, attempt, chunks: 1 }
    const complete = await mutate('completeMessage', 'CompleteMessageInput', end, 'message { content status }')
    expect(complete.message).toEqual({ content: 'Hello', status: 'COMPLETE' })

    const branch = { conversationId: 'c', message: { ...user('other'), parentId: message.id } }
    const { changedSiblings } = await mutate(
      'appendMessage',
      'AppendMessageInput',
      branch,
      'changedSiblings { id siblings { count } }',
    )
    expect(changedSiblings).toHaveLength(1)
    await mutate('setActiveLeaf', 'SetActiveLeafInput', { messageId: changedSiblings[0].id }, 'message { id }')
    await mutate('updateConversation', 'UpdateConversationInput', { id: 'c', title: 't' }, 'conversation { title }')
    const forked = { id: 'c', newId: 'copy' }
    expect(
      (await mutate('forkConversation', 'ForkConversationInput', forked, 'conversation { lastSeq }')).conversation
        .lastSeq,
    ).toBe(5)

    const { conversation } = await ask(
      `query ($id: ID!) { conversation(id: $id) {
        title lastSeq activeLeaf { seq } lastMessage { content } message(clientId: "3") { seq }
        history(last: 10) { seq } messages(first: 2) { nodes { seq } pageInfo { hasNextPage } }
        context(maxTokens: 1000) { included }
      } }`,
      { id: 'c' },
    )
    expect(conversation).toMatchObject({
      title: 't',
      lastSeq: 5,
      message: { seq: 3 },
      messages: { nodes: [{ seq: 1 }, { seq: 2 }], pageInfo: { hasNextPage: true } },
    })
    const filter = { metadata: { a: 1 }, archived: false }
    const found = await ask('query ($filter: ConversationFilter) { conversations(filter: $filter) { nodes { id } } }', {
      filter,
    })
    expect(found.conversations.nodes).toEqual([{ id: 'copy' }, { id: 'c' }])
    const operators = [await ask('{ operator { server } }'), await ask('{ operator { server } }')]
    expect(new Set(operators.map(({ operator }) => operator.server)).size).toBe(2)
    expect((await ask('{ conversations { nodes { lastMessage { seq } } } viewer { userId } }')).viewer.userId).toBe(
      'ada',
    )
    expect(
      (await ask('{ changes(conversationId: "c", after: "", first: 100) { hasMore events { __typename } } }')).changes
        .hasMore,
    ).toBe(false)
    const node = { id: message.id, ids: [message.id, messageId] }
    expect(await ask('query ($id: ID!, $ids: [ID!]!) { node(id: $id) { id } nodes(ids: $ids) { id } }', node)).toEqual({
      node: { id: message.id },
      nodes: [{ id: message.id }, { id: messageId }],
    })

    const part = { conversationId: 'c', userId: 'grace' }
    for (const server of servers) {
      await mutate('addParticipant', 'AddParticipantInput', part, 'conversation { id }')
      const grace = new Api(server.url, { 'x-user-id': 'grace' })
      const { conversations } = await grace.get('{ conversations { nodes { id unreadCount } } }')
      const { id } = conversations.nodes[0]
      await grace.get('mutation ($id: ID!) { leaveConversation(input: { conversationId: $id }) { __typename } }', {
        id,
      })
      left.delete('leaveConversation')
    }
    await mutate('removeParticipant', 'RemoveParticipantInput', part, 'conversation { id }')
    const reaction = { messageId, emoji: '👍' }
    const emojis = 'message { reactions { emoji count viewerReacted } }'
    expect((await mutate('addReaction', 'AddReactionInput', reaction, emojis)).message.reactions).toEqual([
      { emoji: '👍', count: 1, viewerReacted: true },
    ])
    await mutate('removeReaction', 'RemoveReactionInput', reaction, emojis)
    await mutate('setFeedback', 'SetFeedbackInput', { messageId, rating: 'UP' }, 'message { feedback { rating } }')
    expect((await ask('{ feedback { nodes { messageId rating } } }')).feedback.nodes).toEqual([
      { messageId, rating: 'UP' },
    ])
    const toolCalls = [{ callId: 'c', name: 'look', arguments: '{}' }]
    const asking = { conversationId: 'c', message: { role: 'ASSISTANT', toolCalls } }
    const asked = await mutate('appendMessage', 'AppendMessageInput', asking, 'message { id }')
    const answer = { messageId: asked.message.id, callId: 'c', approved: true }
    const approval = 'message { toolCalls { approval { approved userId } } }'
    expect((await mutate('answerCall', 'AnswerCallInput', answer, approval)).message.toolCalls).toEqual([
      { approval: { approved: true, userId: 'ada' } },
    ])
    const desk = { conversationId: 'c' }
    const who = 'conversation { takenOverBy }'
    await mutate('waitForPerson', 'WaitForPersonInput', desk, who)
    await expectWaiting(1)
    expect((await ask('{ waitingConversations { count nodes { ownerId } } }')).waitingConversations).toEqual({
      count: 1,
      nodes: [{ ownerId: 'ada' }],
    })
    await mutate('joinWaiting', 'JoinWaitingInput', desk, who)
    await mutate('stopWaiting', 'StopWaitingInput', desk, who)
    await expectWaiting(0)
    expect((await mutate('takeOver', 'TakeOverInput', desk, who)).conversation).toEqual({ takenOverBy: 'ada' })
    expect((await mutate('handBack', 'HandBackInput', desk, who)).conversation).toEqual({ takenOverBy: null })
    await mutate('markRead', 'MarkReadInput', { conversationId: 'c', seq: 5 }, 'conversation { readSeq }')
    await mutate('setTyping', 'SetTypingInput', { conversationId: 'c', isTyping: true }, 'conversation { id }')
    expect((await ask('{ searchMessages(query: "Hello") { edges { score } } }')).searchMessages.edges).toEqual([])

    await mutate('deleteMessage', 'DeleteMessageInput', { messageId }, 'message { deletedAt }')
    await mutate('clearConversation', 'ClearConversationInput', { id: 'copy' }, 'conversation { lastSeq }')
    await mutate('deleteConversation', 'DeleteConversationInput', { id: 'c' }, 'deletedConversationId')
    for (const feed of changes) await until(feed, 'ConversationDeleted')
    for (const feed of lists) await until(feed, 'ConversationUnlisted')
    for (const feed of [...feeds, ...changes, ...lists, ...queues]) await feed[Symbol.asyncDispose]()
    expect([...left]).toEqual([])
    for (const { program } of [first, second]) expect(program.stderr + program.stdout).not.toContain('"level":50')
  })
})

/** Takes events until one of that type comes. */
async function until(feed: Results, type: string): Promise<void> {
  for (;;) {
    const answer = await feed.next()
    if (answer === null) throw new Error(`the feed ended before ${type}`)
    expect(answer.errors).toBeUndefined()
    if (Object.values(answer.data).some((event) => (event as { __typename: string }).__typename === type)) return
  }
}

/** The names of all fields that an operation can begin with. */
function rootFields(): Set<string> {
  const schema = buildSchema(readFileSync('schema.graphql', 'utf8'))
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  return new Set(roots.flatMap((root) => Object.keys(root?.getFields() ?? {})))
}

function namesOf(query: string): string[] {
  const [operation] = parse(query).definitions as [OperationDefinitionNode]
  return (operation.selectionSet.selections as readonly FieldNode[]).map(({ name }) => name.value)
}
