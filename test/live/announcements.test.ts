import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openOrm } from '../../src/database/orm.ts'
import { createSchema } from '../../src/graphql/schema.ts'
import { createConversation } from '../../src/storage/conversation/conversation.ts'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import type { Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { storeOf } from '../support/database/store.ts'
import { nextOfLog } from '../support/next-of-log.ts'
import { serve } from '../support/server.ts'

// Without a poll only what a write announces can bring what is live.
const never = { POLL_MS: '600000' }
const bed = useBed(never)

const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt message { id } } }`
const call = (name: string) => {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`
  return `mutation ($input: ${type}!) { ${name}(input: $input) { __typename } }`
}
const followConversation = `subscription ($id: ID!, $after: String) {
  conversationEvents(conversationId: $id, after: $after) { __typename }
}`
const followList = 'subscription ($after: String) { conversationsChanged(after: $after) { __typename } }'
const cursors = 'query ($id: ID!) { conversation(id: $id) { cursor } conversations(first: 1) { cursor } }'

/** A conversation with a message that is complete, and one that streams. */
interface Made {
  readonly id: string
  readonly message: string
  readonly streaming: string
}

/** The input with which each mutation changes something, and whether the list shows the change as well. */
const writes: Record<string, { readonly isListed?: false; readonly input: (made: Made) => object }> = {
  answerCall: { input: ({ message }) => ({ messageId: message, callId: 'c', approved: false }) },
  addReaction: { input: ({ message }) => ({ messageId: message, emoji: '👍' }) },
  addParticipant: { input: ({ id }) => ({ conversationId: id, userId: 'grace' }) },
  appendMessage: { input: ({ id }) => ({ conversationId: id, message: { role: 'USER', content: 'new' } }) },
  appendMessages: { input: ({ id }) => ({ conversationId: id, messages: [{ role: 'USER', content: 'new' }] }) },
  appendMessageText: {
    isListed: false,
    input: ({ streaming }) => ({ messageId: streaming, attempt: 1, chunk: 0, text: 'new' }),
  },
  clearConversation: { input: ({ id }) => ({ id }) },
  completeMessage: { input: ({ streaming }) => ({ messageId: streaming, attempt: 1, chunks: 0, content: 'whole' }) },
  deleteConversation: { input: ({ id }) => ({ id }) },
  deleteMessage: { input: ({ message }) => ({ messageId: message }) },
  editMessage: { input: ({ message }) => ({ messageId: message, content: 'edited' }) },
  handBack: { input: ({ id }) => ({ conversationId: id }) },
  removeReaction: { input: ({ message }) => ({ messageId: message, emoji: '🎉' }) },
  removeParticipant: { input: ({ id }) => ({ conversationId: id, userId: 'frank' }) },
  setActiveLeaf: { input: ({ message }) => ({ messageId: message }) },
  startMessage: { input: ({ id }) => ({ conversationId: id }) },
  stopWaiting: { input: ({ id }) => ({ conversationId: id }) },
  stopMessage: { input: ({ streaming }) => ({ messageId: streaming }) },
  takeOver: { input: ({ id }) => ({ conversationId: id }) },
  updateConversation: { input: ({ id }) => ({ id, title: 'renamed' }) },
  waitForPerson: { input: ({ id }) => ({ conversationId: id }) },
}

/** They make a conversation that nobody can follow yet: only the list shows it. */
const creations: Record<string, (made: Made) => object> = {
  createConversation: () => ({}),
  forkConversation: ({ id }) => ({ id, upToSeq: 1 }),
}

/**
 * Taking a stream over moves no revision, and no follower is told of attempts. Markers of what was read, who types and feedback are no part of the log: people/live-people
 * has the first two. An owner cannot leave; what follows when others do is in people/participants. Whoever takes part joins
 * no more; what follows when others do is in people/waiting.
 */
const silent = ['joinWaiting', 'leaveConversation', 'markRead', 'resumeMessage', 'setFeedback', 'setTyping']

async function make(ada: Api, id: string): Promise<Made> {
  const toolCalls = [{ callId: 'c', name: 'look', arguments: '{}' }]
  const { message } = await ada.append(id, { role: 'ASSISTANT', content: 'first', toolCalls })
  const { startMessage } = await ada.get(start, { input: { conversationId: id } })
  const part = 'mutation ($id: ID!) { addParticipant(input: { conversationId: $id, userId: "frank" }) { __typename } }'
  await ada.get(part, { id })
  const react = 'mutation ($id: ID!) { addReaction(input: { messageId: $id, emoji: "🎉" }) { __typename } }'
  await ada.get(react, { id: message.id })
  // Only what was taken over is handed back.
  if (id === 'handBack') await ada.get(call('takeOver'), { input: { conversationId: id } })
  if (id === 'stopWaiting') await ada.get(call('waitForPerson'), { input: { conversationId: id } })
  return { id, message: message.id, streaming: startMessage.message.id }
}

/** Reads what was there before, up to where live begins. */
async function untilCaughtUp(feed: Results): Promise<void> {
  for (let answer = await feed.next(); ; answer = await feed.next()) {
    const [event] = Object.values(answer?.data ?? {}) as { __typename: string }[]
    if (event === undefined || event.__typename.endsWith('CaughtUp')) return
  }
}

test('every mutation is tried here', () => {
  const mutations = Object.keys(createSchema().getMutationType()?.getFields() ?? {})
  expect([...Object.keys(writes), ...Object.keys(creations), ...silent].sort()).toEqual(mutations.sort())
})

test.each(Object.entries(writes))('%s is heard at once on another server', async (name, { isListed, input }) => {
  await using other = await serve(bed.database.url, never)
  const ada = bed.server.as()
  const made = await make(ada, name)
  const { conversation, conversations } = await ada.get(cursors, { id: name })
  await using feed = other.as().subscribe(followConversation, { id: name, after: conversation.cursor })
  await using list = other.as().subscribe(followList, { after: conversations.cursor })
  await untilCaughtUp(feed)
  await untilCaughtUp(list)
  await ada.get(call(name), { input: input(made) })
  expect(await nextOfLog(feed)).toBeDefined()
  if (isListed !== false) expect(await list.next()).not.toBeNull()
})

test.each(Object.entries(creations))('%s is heard at once in the list on another server', async (name, input) => {
  await using other = await serve(bed.database.url, never)
  const ada = bed.server.as()
  const made = await make(ada, name)
  const { conversations } = await ada.get(cursors, { id: name })
  await using list = other.as().subscribe(followList, { after: conversations.cursor })
  await untilCaughtUp(list)
  await ada.get(call(name), { input: input(made) })
  expect(await list.next()).not.toBeNull()
})

test('a hint that cannot be sent fails no write, and the log has it', async () => {
  const lines: string[] = []
  const log = pino(new Writable({ write: (line, _encoding, done) => done(void lines.push(String(line))) }))
  await using opened = await openOrm(bed.database.url, engine, readConfig({}).pool, () => {})
  const announce = () => {
    throw new Error('the bus is broken')
  }
  const to = { userId: 'ada', key: conversationKey('ada', 'unannounced'), epoch: null, id: 'unannounced' }
  const store = { ...storeOf(opened), announce, log }
  const { created } = await createConversation(
    store,
    { to, title: null, metadata: {}, isSearchable: true, createdAt: null },
    false,
  )
  expect(created).toBe(true)
  expect(await bed.server.as({ 'x-user-id': 'ada' }).get('{ conversation(id: "unannounced") { lastSeq } }')).toEqual({
    conversation: { lastSeq: 0 },
  })
  expect(lines.join('')).toContain('the bus is broken')
})
