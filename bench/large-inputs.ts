/** A request near the limits, and what is to be seen of its answer. */
export interface LargeInput {
  readonly name: string
  /** Over HTTP it is a body; over a socket a message behind `connection_ack`. */
  readonly over: 'http' | 'socket'
  /** @param n other with each, so that nothing stands in the way of the one before */
  readonly text: (n: number) => string
}

type Message = Readonly<Record<string, unknown>>

const appendOne = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed } }'
const appendMany = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'

const messages = (n: number, count: number, message: Message) => ({
  query: appendMany,
  variables: {
    input: {
      conversationId: `large-${n}`,
      ifMissing: 'CREATE',
      messages: Array.from({ length: count }, () => message),
    },
  },
})

const one = (n: number, message: Message) =>
  JSON.stringify({
    query: appendOne,
    variables: { input: { conversationId: `large-${n}`, ifMissing: 'CREATE', message } },
  })

const many = (n: number, count: number, message: Message) => JSON.stringify(messages(n, count, message))

const calls = (count: number): Message => ({
  role: 'ASSISTANT',
  toolCalls: Array.from({ length: count }, (_, call) => ({ callId: `c${call}`, name: 'f', arguments: '{}' })),
})

const million = 1_000_000
const most = 4 * 1024 * 1024

const overHttp: Readonly<Record<string, LargeInput['text']>> = {
  'a small append': (n) => one(n, { role: 'USER', content: 'x' }),
  '4 MB of [': () => '['.repeat(most),
  '1,000,000 lists in one another': () =>
    `{"query":"{ viewer { id } }","variables":{"a":${'['.repeat(million)}${']'.repeat(million)}}}`,
  'a role of 4 MB': (n) => one(n, { role: 'x'.repeat(4 * million), content: 'x' }),
  '189,000 numbers': (n) => one(n, { role: 'USER', parts: Array(9_000).fill(Array(20).fill(1)) }),
  '24 objects of 4,000 keys each': (n) =>
    one(n, {
      role: 'USER',
      parts: Array.from({ length: 24 }, (_, part) =>
        Object.fromEntries(Array.from({ length: 4_000 }, (_, key) => [`k${part}_${key}`, 1])),
      ),
    }),
  '40 unknown keys of 100 KB': () =>
    JSON.stringify({
      query: appendOne,
      variables: { input: Object.fromEntries(Array.from({ length: 40 }, (_, n) => ['k'.repeat(100_000) + n, 1])) },
    }),
  '100 messages of 100 tool calls': (n) => many(n, 100, calls(100)),
  '100 messages of 280 tool calls': (n) => many(n, 100, calls(280)),
  '10,000 parts': (n) => one(n, { role: 'USER', parts: Array(10_000).fill({ type: 'text', text: 'x' }) }),
  '19 messages of 9,900 parts': (n) => many(n, 19, { role: 'USER', parts: Array(9_900).fill(1) }),
  '4 messages of 980 KB': (n) => many(n, 4, { role: 'USER', content: 'é'.repeat(490_000) }),
}

const subscribe = (payload: object) => JSON.stringify({ id: '1', type: 'subscribe', payload })

const overSocket: Readonly<Record<string, LargeInput['text']>> = {
  'a ping of 4 MB': () => JSON.stringify({ type: 'ping', payload: { a: 'x'.repeat(4 * million) } }),
  '4 MB of [': () => '['.repeat(most),
  '100 messages of 100 tool calls': (n) => subscribe(messages(n, 100, calls(100))),
  '100 messages of 280 tool calls': (n) => subscribe(messages(n, 100, calls(280))),
}

const inputsOf = (over: LargeInput['over'], texts: Readonly<Record<string, LargeInput['text']>>): LargeInput[] =>
  Object.entries(texts).map(([name, text]) => ({ name, over, text }))

/** What was seen to block servers, within the limits or just beyond them. */
export const largeInputs: readonly LargeInput[] = [...inputsOf('http', overHttp), ...inputsOf('socket', overSocket)]
