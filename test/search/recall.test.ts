import { beforeAll, describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { searching } from '../support/search.ts'

const bed = useBed({ SEARCH_FILL: 'on' })
const ada = () => bed.server.as()

const document = `query ($id: ID!, $maxTokens: Int!, $format: ContextFormat! = OPENAI_CHAT, $recall: RecallInput, $userMessage: MessageInput) {
  conversation(id: $id) {
    context(maxTokens: $maxTokens, format: $format, recall: $recall, userMessage: $userMessage) {
      system messages tokenCount included recalled firstSeq lastSeq omitted { messages tokens reasons }
    }
  }
}`

async function read(args: Record<string, unknown>) {
  return (await ada().get(document, { id: 'c', maxTokens: 400, ...args })).conversation.context
}

const user = (content: string) => ({ role: 'USER', content })
const assistant = (content: string) => ({ role: 'ASSISTANT', content })
const filler = 'Some words about nothing that anybody would ask for again. '.repeat(4)

const messages = [
  { role: 'SYSTEM', content: 'Be kind.' },
  user('Where did I park the bicycle?'),
  { role: 'ASSISTANT', toolCalls: [{ callId: 'find', name: 'find', arguments: '{}' }] },
  { role: 'TOOL', toolCallId: 'find', content: 'Behind the lighthouse.' },
  assistant('It stands behind the lighthouse.'),
  ...Array.from({ length: 12 }, (_, n) => [user(`${n} ${filler}`), assistant(filler)]).flat(),
  user('Thanks'),
  assistant('You are welcome.'),
]

beforeAll(async () => {
  const input = { conversationId: 'c', ifMissing: 'CREATE', messages }
  await ada().get('mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }', { input })
  await searching(ada(), 'c')
})

describe('a window recalls', () => {
  test('the whole turn that fits the query, between marks, before the newest turns', async () => {
    const without = await read({})
    expect(without.recalled).toEqual([])
    expect(JSON.stringify(without.messages)).not.toContain('lighthouse')
    const window = await read({ recall: { query: 'bicycle', maxTokens: 120 } })
    expect(window.recalled).toEqual([2, 3, 4, 5])
    expect((await read({ recall: { query: '"behind the lighthouse"', maxTokens: 120 } })).recalled).toEqual([
      2, 3, 4, 5,
    ])
    expect(window.messages.map(({ role }: { role: string }) => role).slice(0, 7)).toEqual([
      'system',
      'user',
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ])
    expect(window.messages[1].content).toMatch(/^\[Recalled from earlier/)
    expect(window.messages[2].content).toBe('Where did I park the bicycle?')
    expect(window.messages[6].content).toMatch(/^\[End of what was recalled/)
    expect(window.tokenCount).toBeLessThanOrEqual(400)
    expect(window.firstSeq).toBeGreaterThan(5)
    expect(window.included + window.omitted.messages).toBe(messages.length)
  })

  test('in every format', async () => {
    for (const format of ['OPENAI_CHAT', 'OPENAI_RESPONSES', 'ANTHROPIC', 'AI_SDK', 'AI_SDK_MODEL']) {
      const window = await read({ format, recall: { query: 'where is the bicycle', maxTokens: 120 } })
      expect(window.recalled, format).toEqual([2, 3, 4, 5])
      expect(JSON.stringify(window.messages), format).toMatch(
        /Recalled from earlier.*bicycle.*Behind the light.*End of/,
      )
    }
  })

  test('nothing that has no room, and exactly what has', async () => {
    const window = await read({ recall: { query: 'bicycle', maxTokens: 120 } })
    const own = (tokens: number) => read({ recall: { query: 'bicycle', maxTokens: tokens } })
    let least = 1
    for (let most = 120; least < most; ) {
      const middle = (least + most) >> 1
      if ((await own(middle)).recalled.length > 0) most = middle
      else least = middle + 1
    }
    expect((await own(least)).recalled).toEqual(window.recalled)
    expect((await own(least - 1)).recalled).toEqual([])
    const newest = await read({ maxTokens: 40, recall: { query: 'bicycle', maxTokens: 39 } })
    expect(newest).toMatchObject({ recalled: [], lastSeq: messages.length })
  })

  test('nothing twice: what the window has anyway is not recalled', async () => {
    const window = await read({ maxTokens: 100_000, recall: { query: 'bicycle', maxTokens: 1_000 } })
    expect(window.recalled).toEqual([])
    expect(window.included).toBe(messages.length)
  })

  test('only turns of the path that it follows', async () => {
    const { conversation } = await ada().get('{ conversation(id: "c") { message(seq: 1) { id } } }')
    const userMessage = { ...user('bicycle?'), parentId: conversation.message.id }
    expect((await read({ userMessage, recall: { query: 'bicycle', maxTokens: 120 } })).recalled).toEqual([])
  })
})

test('a recall that cannot be is refused', async () => {
  const fail = async (recall: object) => (await ada().fail(document, { id: 'c', maxTokens: 400, recall })).extensions
  expect(await fail({ query: 'x', maxTokens: 0 })).toMatchObject({ code: 'BAD_USER_INPUT', path: 'recall.maxTokens' })
  expect(await fail({ query: 'x', maxTokens: 400 })).toMatchObject({ code: 'BAD_USER_INPUT', path: 'recall.maxTokens' })
  const long = await fail({ query: 'x'.repeat(1_001), maxTokens: 100 })
  expect(long).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'recall.query' })
  expect((await read({ recall: { query: 'x'.repeat(1_000), maxTokens: 399 } })).recalled).toEqual([])
})
