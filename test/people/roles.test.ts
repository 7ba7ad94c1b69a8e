import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSchema } from '../../src/graphql/schema.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'

/* The table of docs/participants.md says who may do what; each of its rows is tried by everybody. */

const bed = useBed()

const as = (userId: string) => bed.server.as({ 'x-user-id': userId })

type Role = 'OWNER' | 'MEMBER' | 'OBSERVER'

const roles = ['OWNER', 'MEMBER', 'OBSERVER'] as const
const users: Record<Role, string> = { OWNER: 'olga', MEMBER: 'mel', OBSERVER: 'otto' }

const rows = readFileSync('docs/participants.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim())
    return /^(yes|no)$/.test(cells[2] ?? '') ? [{ operation: cells[1] as string, may: cells.slice(2, 5) }] : []
  })

/** What an operation is tried on: a conversation of its own for each attempt. */
interface Place {
  readonly conversationId: string
  /** Of a message that the caller wrote, of one that another wrote, and of one that streams. */
  readonly own: string
  readonly others: string
  readonly streaming: string
}

const message = { role: 'USER', content: 'hello' }

const calling = {
  role: 'ASSISTANT',
  content: 'of another',
  toolCalls: [{ callId: 'c', name: 'look', arguments: '{}' }],
}

const inputs: Record<string, (place: Place) => object> = {
  appendMessage: ({ conversationId }) => ({ conversationId, message }),
  appendMessages: ({ conversationId }) => ({ conversationId, messages: [message, message] }),
  startMessage: ({ conversationId }) => ({ conversationId, role: 'ASSISTANT' }),
  appendMessageText: ({ streaming }) => ({ messageId: streaming, attempt: 1, chunk: 0, text: 'x' }),
  completeMessage: ({ streaming }) => ({ messageId: streaming, attempt: 1, chunks: 0, content: 'x' }),
  resumeMessage: ({ streaming }) => ({ messageId: streaming }),
  stopMessage: ({ streaming }) => ({ messageId: streaming }),
  setActiveLeaf: ({ others }) => ({ messageId: others }),
  addReaction: ({ others }) => ({ messageId: others, emoji: '👍' }),
  removeReaction: ({ others }) => ({ messageId: others, emoji: '👍' }),
  setFeedback: ({ streaming }) => ({ messageId: streaming, rating: 'UP' }),
  answerCall: ({ others }) => ({ messageId: others, callId: 'c', approved: true }),
  takeOver: ({ conversationId }) => ({ conversationId }),
  'handBack, if nobody else has it': ({ conversationId }) => ({ conversationId }),
  waitForPerson: ({ conversationId }) => ({ conversationId }),
  stopWaiting: ({ conversationId }) => ({ conversationId }),
  'joinWaiting, which changes nothing': ({ conversationId }) => ({ conversationId }),
  'editMessage of its own': ({ own }) => ({ messageId: own, content: 'edited' }),
  "editMessage of another's": ({ others }) => ({ messageId: others, content: 'edited' }),
  'deleteMessage of its own': ({ own }) => ({ messageId: own }),
  "deleteMessage of another's": ({ others }) => ({ messageId: others }),
  'forkConversation, into one of its own': ({ conversationId }) => ({ id: conversationId, upToSeq: 2 }),
  updateConversation: ({ conversationId }) => ({ id: conversationId, title: 'new' }),
  clearConversation: ({ conversationId }) => ({ id: conversationId }),
  deleteConversation: ({ conversationId }) => ({ id: conversationId }),
  markRead: ({ conversationId }) => ({ conversationId, seq: 1 }),
  setTyping: ({ conversationId }) => ({ conversationId, isTyping: true }),
  addParticipant: ({ conversationId }) => ({ conversationId, userId: 'new' }),
  removeParticipant: ({ conversationId }) => ({ conversationId, userId: 'otto' }),
  leaveConversation: ({ conversationId }) => ({ conversationId }),
}

const nameOf = (operation: string) => operation.replaceAll('`', '')

function mutate(api: Api, operation: string, input: object) {
  const [, name] = /^(\w+)/.exec(operation) as unknown as [string, string]
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`
  return api.ask(`mutation ($input: ${type}) { ${name}(input: $input) { __typename } }`, { input })
}

let places = 0

/** A conversation with all of them, as this role sees it. */
async function place(role: Role): Promise<Place> {
  const owner = as('olga')
  places += 1
  const id = `place-${places}`
  await owner.append(id, 'of the owner')
  for (const [other, userId] of Object.entries(users)) {
    if (other === 'OWNER') continue
    const added = await mutate(owner, 'addParticipant', { conversationId: id, userId, role: 'MEMBER' })
    expect(added.errors).toBeUndefined()
  }
  const caller = as(users[role])
  const { conversations } = await caller.get('{ conversations(first: 1) { nodes { id } } }')
  const conversationId = conversations.nodes[0].id
  const own = (await caller.append(conversationId, 'of the caller')).message.id
  const other = as(role === 'OWNER' ? 'mel' : 'olga')
  const theirs =
    role === 'OWNER' ? (await other.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0].id : id
  const others = (await other.append(theirs, calling)).message.id
  const started = await owner.get(
    `mutation { startMessage(input: { conversationId: "${id}", role: ASSISTANT }) { message { id } } }`,
  )
  if (role === 'OBSERVER') {
    const added = await mutate(owner, 'addParticipant', { conversationId: id, userId: 'otto', role: 'OBSERVER' })
    expect(added.errors).toBeUndefined()
  }
  return { conversationId, own, others, streaming: started.startMessage.message.id }
}

test('every mutation has a row, and every row is tried', () => {
  const mutations = Object.keys(createSchema().getMutationType()?.getFields() ?? {})
  const named = new Set(rows.map(({ operation }) => /^`(\w+)`/.exec(operation)?.[1]))
  // It makes a conversation of the caller's own.
  expect(mutations.filter((name) => !named.has(name))).toEqual(['createConversation'])
  const tried = rows.map(({ operation }) => nameOf(operation)).filter((operation) => operation !== 'read, follow, list')
  expect(Object.keys(inputs).sort()).toEqual(tried.sort())
})

describe.each(rows.filter(({ operation }) => operation.startsWith('`')))('$operation', ({ operation, may }) => {
  test.each(roles.map((role, index) => [role, may[index]] as const))('%s: %s', async (role, allowed) => {
    const at = await place(role)
    const input = inputs[nameOf(operation)]?.(at) as object
    const { errors } = await mutate(as(users[role]), nameOf(operation), input)
    if (allowed === 'yes') expect(errors).toBeUndefined()
    else expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  })

  test('a stranger, and one who was removed: NOT_FOUND', async () => {
    const at = await place('MEMBER')
    const owner = as('olga')
    await mutate(owner, 'removeParticipant', { conversationId: `place-${places}`, userId: 'mel' })
    const input = inputs[nameOf(operation)]?.(at) as object
    for (const user of ['mel', 'nobody']) {
      const { errors } = await mutate(as(user), nameOf(operation), input)
      expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    }
  })
})

describe('read, follow, list', () => {
  let at: Place

  beforeAll(async () => {
    at = await place('OBSERVER')
  })

  const reading = (id: string) => `{
    conversation(id: "${id}") { id userId viewerRole lastSeq
      messages(first: 3) { nodes { conversationId content author { userId kind name } } }
      history { content } context(maxTokens: 1000) { messages } participants { nodes { userId role } }
    }
  }`

  test('everybody who takes part', async () => {
    for (const role of roles) {
      const caller = as(users[role])
      const list = (await caller.get('{ conversations(first: 1) { nodes { id userId } } }')).conversations
      const { id } = list.nodes[0]
      expect(id).toMatch(role === 'OWNER' ? /^place-/ : /^cnv_/)
      const { conversation } = await caller.get(reading(id))
      expect(conversation).toMatchObject({ id, userId: 'olga', viewerRole: role, lastSeq: 4 })
      expect(conversation.messages.nodes).toEqual([
        { conversationId: id, content: 'of the owner', author: { userId: 'olga', kind: 'USER', name: null } },
        { conversationId: id, content: 'of the caller', author: { userId: 'otto', kind: 'USER', name: null } },
        { conversationId: id, content: 'of another', author: { userId: 'olga', kind: 'USER', name: null } },
      ])
      expect(conversation.history).toHaveLength(3)
      expect(conversation.participants.nodes).toEqual([
        { userId: 'mel', role: 'MEMBER' },
        { userId: 'olga', role: 'OWNER' },
        { userId: 'otto', role: 'OBSERVER' },
      ])
    }
  })

  test('nobody else', async () => {
    const stranger = as('nobody')
    expect(await stranger.get(reading(at.conversationId))).toEqual({ conversation: null })
    expect((await stranger.get('{ conversations { nodes { id } } }')).conversations.nodes).toEqual([])
    expect(await stranger.get(`{ node(id: "${at.own}") { id } }`)).toEqual({ node: null })
  })
})
