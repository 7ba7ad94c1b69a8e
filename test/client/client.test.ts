import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createClient as createSseClient } from 'graphql-sse'
import { createClient } from 'graphql-ws'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { SubscribingClient } from '../../client/src/connection/resumable.ts'
import {
  applyEvent,
  type FollowError,
  type FollowedMessage,
  type Following,
  followConversation,
  request,
  resumable,
} from '../../client/src/index.ts'
import type { Answer, Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed()

const appended = `subscription ($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { node { seq content } }
}`
const remove = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'

expectNothingOpenAfterEach(bed)

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)
const ada = { 'x-user-id': 'ada' }

/** A following of ada's, by the sockets of Node's own or of `ws`. */
function follow(server: { readonly url: string }, conversationId: string, more: object = {}) {
  return followConversation({ url: `${server.url}/graphql`, conversationId, connectionParams: ada, ...more })
}

/** The next message that is appended; null when there will be none. */
async function nextMessage<Message>(following: Following<Message>): Promise<Message | null> {
  for (;;) {
    const { done, value } = await following.next()
    if (done) return null
    if (value.__typename === 'MessageAppended') return value.edge.node
  }
}

async function take(following: Following<{ seq: number }>, count: number): Promise<number[]> {
  const seqs: number[] = []
  while (seqs.length < count) {
    const message = await nextMessage(following)
    if (message === null) throw new Error(`ended after ${seqs.length} of ${count} messages`)
    seqs.push(message.seq)
  }
  return seqs
}

async function fill(api: Api, id: string, count: number, bytes = 0): Promise<void> {
  for (let n = 1; n <= count; n++) await api.append(id, String(n).padEnd(bytes, '.'))
}

/** Does something to the network again and again, at times that differ, until it is told to stop. */
function disturb(disturbances: readonly (() => unknown)[], shortestMs: number, longestMs: number) {
  let count = 0
  let timer: NodeJS.Timeout
  const next = () => {
    const wait = shortestMs + Math.random() * (longestMs - shortestMs)
    timer = setTimeout(() => {
      disturbances[count % disturbances.length]?.()
      count += 1
      next()
    }, wait)
  }
  next()
  return {
    get count() {
      return count
    },
    stop: () => clearTimeout(timer),
  }
}

const sockets = [
  ['ws', WebSocket],
  ['the platform', globalThis.WebSocket],
] as const

test.for(sockets)(
  '6 resumable: a stock client that is cut at random gets every message once and in order, with the sockets of %s',
  async ([name, webSocketImpl]) => {
    const api = bed.server.as()
    const [writers, each] = [4, 60]
    const id = `cut-${name}`
    await api.append(id, 'first')
    await using proxy = await TcpProxy.before(bed.server)
    let isConnected = false
    const client = resumable(
      createClient({
        url: `${proxy.url.replace('http', 'ws')}/graphql`,
        connectionParams: ada,
        webSocketImpl,
        retryAttempts: Number.POSITIVE_INFINITY,
        retryWait: async () => {},
        shouldRetry: () => true,
        on: {
          connected: () => {
            isConnected = true
          },
          closed: () => {
            isConnected = false
          },
        },
      }),
    )
    const seen: number[] = []
    const disturbance = disturb([() => proxy.cut(), () => isConnected && client.terminate()], 5, 60)
    const writing = Array.from({ length: writers }, async (_, writer) => {
      for (let n = 0; n < each; n++) await api.append(id, `${writer}/${n}`)
    })
    const total = writers * each + 1
    for await (const { data } of client.iterate<Answer['data']>({ query: appended, variables: { id, after: '' } })) {
      if (seen.push(data?.messageAppended.node.seq) === total) break
    }
    disturbance.stop()
    await Promise.all(writing)
    expect(seen).toEqual(upTo(total))
    expect(disturbance.count).toBeGreaterThan(5)
    await client.dispose()
  },
)

test('6 resumable: a stock client of graphql-sse that is cut at random gets every message once and in order', async () => {
  const api = bed.server.as()
  const [writers, each] = [4, 60]
  const id = 'cut-sse'
  await api.append(id, 'first')
  await using proxy = await TcpProxy.before(bed.server)
  let reconnects = 0
  const client = resumable(
    createSseClient({
      url: `${proxy.url}/graphql/stream`,
      headers: ada,
      retryAttempts: Number.POSITIVE_INFINITY,
      retry: async () => {},
    }),
  )
  const variables = Object.freeze({ id, after: '' })
  const on = {
    connected: (isAgain: boolean) => {
      if (isAgain) reconnects += 1
    },
  }
  const results = client.iterate<Answer['data']>({ query: appended, variables }, on)
  const disturbance = disturb([() => proxy.cut()], 5, 60)
  const writing = Array.from({ length: writers }, async (_, writer) => {
    for (let n = 0; n < each; n++) await api.append(id, `${writer}/${n}`)
  })
  const total = writers * each + 1
  const seen: number[] = []
  for await (const { data } of results) if (seen.push(data?.messageAppended.node.seq) === total) break
  disturbance.stop()
  await Promise.all(writing)
  expect(seen).toEqual(upTo(total))
  expect(reconnects).toBeGreaterThan(0)
  client.dispose()
})

/** The stock clients of both transports. */
const clients: Record<string, (url: string) => SubscribingClient & { dispose(): unknown }> = {
  'graphql-ws': (url) =>
    createClient({ url: `${url.replace('http', 'ws')}/graphql`, connectionParams: ada, webSocketImpl: WebSocket }),
  'graphql-sse': (url) => createSseClient({ url: `${url}/graphql/stream`, headers: ada }),
}

describe.each(Object.entries(clients))('6 resumable, %s:', (_name, create) => {
  function iterate(client: SubscribingClient, query: string, variables?: Record<string, unknown>) {
    return client.iterate({ query, variables }) as AsyncIterableIterator<Answer>
  }

  test('the payload of the caller stays as it is, and queries and mutations pass', async () => {
    const api = bed.server.as()
    await api.append('passes', 'first')
    const client = resumable(create(bed.server.url))
    const variables = Object.freeze({ id: 'passes', after: '' })
    for (let n = 0; n < 2; n++) {
      const results = iterate(client, appended, variables)
      expect((await results.next()).value?.data?.messageAppended.node.seq).toBe(1)
      await results.return?.()
    }
    const query = iterate(client, '{ viewer { userId } }')
    expect(await query.next()).toEqual({ done: false, value: { data: { viewer: { userId: 'ada' } } } })
    expect((await query.next()).done).toBe(true)
    await client.dispose()
  })

  test('a subscription that could not resume is refused, with what to do', async () => {
    await bed.server.as().append('literal', 'one')
    const client = resumable(create(bed.server.url))
    const query = 'subscription { messageAppended(conversationId: "literal", after: "") { node { seq } } }'
    await expect(iterate(client, query).next()).rejects.toThrow('declare a variable $after')
    await client.dispose()
  })

  test('iterating ends at once, also while it waits', async () => {
    await bed.server.as().append('waits', 'one')
    const client = resumable(create(bed.server.url))
    const results = iterate(client, appended, { id: 'waits', after: '' })
    await results.next()
    const waiting = results.next()
    await results.return?.()
    expect((await waiting).done).toBe(true)
    await client.dispose()
  })
})

test('6 following: what is there and then what comes, each message whole, and where it stands', async () => {
  const api = bed.server.as()
  await fill(api, 'whole', 3)
  const following = follow(bed.server, 'whole', { after: '' })
  expect(following.cursor).toBe('')
  const first = { seq: 1, role: 'USER', content: '1', toolCalls: [], parts: null, nextChunk: null }
  expect((await following.next()).value).toMatchObject({
    __typename: 'ConversationUpdated',
    conversation: { id: 'whole' },
  })
  expect((await following.next()).value).toMatchObject({ __typename: 'MessageAppended', edge: { node: first } })
  const { cursor } = following
  expect(await take(following, 2)).toEqual([2, 3])
  expect((await following.next()).value).toEqual({
    __typename: 'CaughtUp',
    conversationId: 'whole',
    cursor: following.cursor,
  })
  const live = nextMessage(following)
  await api.append('whole', 'live')
  expect(await live).toMatchObject({ seq: 4, content: 'live' })
  await following.return?.()
  expect(await following.next()).toEqual({ done: true, value: undefined })
  const again = follow(bed.server, 'whole', { after: cursor, selection: 'seq conversationId' })
  expect(await nextMessage(again)).toEqual({ seq: 2, conversationId: 'whole' })
  await again.return?.()
})

test('6 following: who is here and types comes too, and moves neither the place nor the messages', async () => {
  const api = bed.server.as()
  await api.append('shared', 'first')
  const add = 'mutation { addParticipant(input: { conversationId: "shared", userId: "grace" }) { __typename } }'
  await api.get(add)
  const following = follow(bed.server, 'shared', { after: '' })
  const seen: Record<string, unknown> = {}
  let messages: readonly FollowedMessage[] = []
  const type = 'mutation { setTyping(input: { conversationId: "shared", isTyping: true }) { __typename } }'
  for await (const event of following) {
    messages = applyEvent(messages, event)
    seen[event.__typename] = event
    if (event.__typename === 'PresenceChanged') await api.get(type)
    if (event.__typename === 'TypingChanged' && event.userIds.length > 0) break
  }
  expect(messages.map(({ content }) => content)).toEqual(['first'])
  const { cursor } = seen.CaughtUp as { cursor: string }
  expect(following.cursor).toBe(cursor)
  expect([seen.PresenceChanged, seen.TypingChanged, seen.ReadMarkersChanged]).toMatchObject([
    { cursor, present: { count: 1, userIds: ['ada'] } },
    { cursor, userIds: ['ada'] },
    {
      cursor,
      readMarkers: [
        { userId: 'ada', readSeq: 1 },
        { userId: 'grace', readSeq: 0 },
      ],
      participantCount: 2,
    },
  ])
})

test('6 following: from now on is from one place, however often it is cut before the first message', async () => {
  const api = bed.server.as()
  await fill(api, 'now', 2)
  await using proxy = await TcpProxy.before(bed.server)
  const following = follow(proxy, 'now')
  const first = nextMessage(following)
  await until(() => following.cursor !== null)
  for (let n = 0; n < 3; n++) {
    await until(() => bed.server.inspect().watchers === 1)
    proxy.cut()
    await until(() => bed.server.inspect().watchers === 0)
    await api.append('now', 'while it was away')
  }
  expect((await first)?.seq).toBe(3)
  expect(await take(following, 2)).toEqual([4, 5])
  await following.return?.()
})

test.for(sockets)(
  '6 following: cut, stalled and dropped at random, every message comes once and in order, with the sockets of %s',
  async ([name, webSocketImpl]) => {
    const api = bed.server.as()
    const id = `storm-${name}`
    await api.append(id, 'first')
    await using proxy = await TcpProxy.before(bed.server)
    let retries = 0
    const onRetry = () => {
      retries += 1
    }
    const following = follow(proxy, id, { after: '', webSocketImpl, timeoutMs: 300, onRetry })
    const seen: number[] = []
    const taking = (async () => {
      for (let message = await nextMessage(following); message; message = await nextMessage(following)) {
        seen.push(message.seq)
      }
    })()
    const disturbance = disturb(
      [() => proxy.cut(), () => proxy.stall(), () => proxy.resume(), () => proxy.drop()],
      20,
      400,
    )
    let last = 1
    const writing = Array.from({ length: 4 }, async (_, writer) => {
      // On a busy machine most disturbances meet a client that is still connecting.
      while (disturbance.count < 20 || retries < 6) {
        const { message } = await api.append(id, `${writer}`)
        last = Math.max(last, message.seq)
      }
    })
    await Promise.all(writing)
    disturbance.stop()
    proxy.resume()
    await until(() => seen.length >= last)
    expect(seen).toEqual(upTo(last))
    await following.return?.()
    await taking
  },
)

test('6 following: the server is restarted in between, and another takes its place', async () => {
  const first = await serve(bed.database.url)
  await fill(first.as(), 'restart', 5)
  await using proxy = await TcpProxy.before(first)
  const following = follow(proxy, 'restart', { after: '' })
  expect(await take(following, 5)).toEqual(upTo(5))
  await first[Symbol.asyncDispose]()
  await using second = await serve(bed.database.url)
  await fill(second.as(), 'restart', 3)
  proxy.aim(second)
  expect(await take(following, 3)).toEqual([6, 7, 8])
  await following.return?.()
  await until(() => second.inspect().sockets === 0)
})

test('6 following: a token that expires is asked for again', async () => {
  const secret = 'a secret of more than thirty-two bytes'
  await using server = await serve(bed.database.url, { AUTH_SECRET: secret })
  await bed.server.as().append('token', 'one')
  let tokens = 0
  const reasons: unknown[] = []
  const following = follow(server, 'token', {
    after: '',
    connectionParams: async () => {
      tokens += 1
      // The second is refused: a clock that is behind, a provider that is.
      const exp = Math.ceil(Date.now() / 1000) + ([3, -60][tokens - 1] ?? 600)
      const token = new SignJWT({ sub: 'ada', exp }).setProtectedHeader({ alg: 'HS256' })
      return { authorization: `Bearer ${await token.sign(new TextEncoder().encode(secret))}` }
    },
    onRetry: (reason: unknown) => void reasons.push(reason),
  })
  expect(await take(following, 1)).toEqual([1])
  const next = nextMessage(following)
  await until(() => tokens === 3)
  await bed.server.as().append('token', 'two')
  expect((await next)?.seq).toBe(2)
  expect(reasons).toMatchObject([{ code: 4403 }, { code: 4403 }])
  await following.return?.()
  await until(() => server.inspect().sockets === 0)
})

test('6 following: it ends with the conversation, and with an error where trying again would not help', async () => {
  const api = bed.server.as()
  const { messageEdge } = await api.append('ends', 'first life')
  const following = follow(bed.server, 'ends', { after: '' })
  expect(await take(following, 1)).toEqual([1])
  await api.get(remove, { id: 'ends' })
  expect((await following.next()).value).toMatchObject({ __typename: 'CaughtUp' })
  expect((await following.next()).value).toMatchObject({ __typename: 'ConversationDeleted' })
  expect((await following.next()).done).toBe(true)
  await api.append('ends', 'second life')
  for (const [id, more, code] of [
    ['ends', { after: messageEdge.cursor }, 'CURSOR_EXPIRED'],
    ['missing', { after: '' }, 'NOT_FOUND'],
    ['missing', {}, 'NOT_FOUND'],
    ['ends', { after: '!' }, 'BAD_USER_INPUT'],
    ['ends', { selection: 'nothing' }, 'GRAPHQL_VALIDATION_FAILED'],
  ] as const) {
    const refused = follow(bed.server, id, more)
    const error = await refused.next().catch((caught: FollowError) => caught)
    expect(error, code).toMatchObject({ name: 'FollowError', code })
    expect(await refused.next()).toEqual({ done: true, value: undefined })
  }
})

test('6 following: a signal and a break end it, whatever it was doing, and leave nothing', async () => {
  await fill(bed.server.as(), 'signal', 3)
  for (const taken of [0, 1, 3]) {
    const abort = new AbortController()
    const following = follow(bed.server, 'signal', { after: '', signal: abort.signal })
    await take(following, taken)
    const next = taken === 3 ? nextMessage(following) : null
    abort.abort()
    expect(await (next ?? nextMessage(following))).toBeNull()
  }
  for await (const { __typename } of follow(bed.server, 'signal', { after: '' })) if (__typename === 'CaughtUp') break
  // Nobody listens there; it would try for ever.
  await using proxy = await TcpProxy.before({ url: 'http://127.0.0.1:9' })
  const abort = new AbortController()
  const away = follow(proxy, 'signal', { after: '', signal: abort.signal, onRetry: () => abort.abort() })
  expect((await away.next()).done).toBe(true)
})

test('7 bounds: of a conversation that is taken slowly, the server keeps the rest', async () => {
  const api = bed.server.as()
  const input = (n: number) => ({
    conversationId: 'long',
    ifMissing: 'CREATE',
    messages: Array.from({ length: 100 }, (_, index) => ({ role: 'USER', content: `${n}/${index}` })),
  })
  const appendMany = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
  for (let n = 0; n < 25; n++) await api.get(appendMany, { input: input(n) })
  const following = follow(bed.server, 'long', { after: '' })
  const seen = await take(following, 1)
  // It has more than it should, and hangs up until that was taken.
  await until(() => bed.server.inspect().watchers === 1)
  await until(() => bed.server.inspect().sockets === 0)
  seen.push(...(await take(following, 2_499)))
  expect(seen).toEqual(upTo(2_500))
  await following.return?.()
})

test('a request whose credentials are refused says so, and one whose first token had expired asks for another', async () => {
  const secret = 'a secret of at least thirty-two bytes'
  await using server = await serve(bed.database.url, { AUTH_SECRET: secret })
  const sign = (expires: string) =>
    new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(expires)
      .sign(new TextEncoder().encode(secret))
  const tokens = [await sign('1 minute ago'), await sign('1 hour')]
  const connectionParams = () => ({ authorization: `Bearer ${tokens.shift()}` })
  const options = { url: `${server.url}/graphql`, connectionParams }
  expect(await request(options, '{ viewer { userId } }')).toEqual({ viewer: { userId: 'ada' } })
  await expect(request(options, '{ viewer { userId } }')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('a request is tried again until it is answered, or whoever asked wants no answer any more', async () => {
  await using proxy = await TcpProxy.before(bed.server)
  proxy.stall()
  const options = { url: `${proxy.url}/graphql`, connectionParams: ada, timeoutMs: 100 }
  const giveUp = new AbortController()
  const enough = () => giveUp.abort(new Error('Enough.'))
  const query = '{ viewer { userId } }'
  await expect(request({ ...options, onRetry: enough, signal: giveUp.signal }, query)).rejects.toThrow('Enough.')
  const resume = () => proxy.resume()
  expect(await request({ ...options, onRetry: resume }, query)).toEqual({ viewer: { userId: 'ada' } })
  await expect(request(options, '{ nothing }')).rejects.toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' })
})

test('a request that is refused for its rate waits as long as the server says, and no longer than a minute more', async () => {
  await using server = await serve(bed.database.url, { RATE_LIMIT: '1', RATE_BURST: '100' })
  for (const [user, rows] of [
    ['owes little', 110],
    ['owes much', 1_000],
  ] as const) {
    const connectionParams = { 'x-user-id': user }
    await server.as(connectionParams).get(`{ conversation(id: "none") { history(last: ${rows}) { seq } } }`)
    const giveUp = new AbortController()
    const told: { extensions: { code: string; retryAfter: number }; waitMs: number }[] = []
    const onRetry = (reason: unknown, waitMs: number) => {
      told.push({ ...(reason as (typeof told)[number]), waitMs })
      giveUp.abort(new Error('Enough.'))
    }
    const options = { url: `${server.url}/graphql`, connectionParams, onRetry, signal: giveUp.signal }
    await expect(request(options, '{ viewer { userId } }')).rejects.toThrow('Enough.')
    expect(told).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }])
    const { retryAfter } = told[0]?.extensions ?? { retryAfter: 0 }
    expect(retryAfter > 60).toBe(user === 'owes much')
    const asked = Math.min(retryAfter, 60) * 1_000
    expect(told[0]?.waitMs).toBeGreaterThanOrEqual(asked)
    expect(told[0]?.waitMs).toBeLessThan(asked + 10_000)
  }
})

test('the package builds by itself, and no part of it needs Node, or an SDK that is not its own', async () => {
  // Where it finds graphql-ws, and where nobody looks at what it is.
  const directory = await mkdtemp(join('node_modules', '.client-'))
  try {
    const { stdout, status } = spawnSync('tsc', ['-p', 'client', '--outDir', directory], { encoding: 'utf8' })
    expect(stdout).toBe('')
    expect(status).toBe(0)
    const built = await import(join(process.cwd(), directory, 'index.js'))
    expect(Object.keys(built).sort()).toEqual([
      'FollowError',
      'GapError',
      'RequestError',
      'StreamError',
      'activePath',
      'applyEvent',
      'followConversation',
      'messageSelection',
      'readContext',
      'request',
      'resumable',
      'streamMessage',
      'toolName',
    ])
    const { exports } = JSON.parse(await readFile('client/package.json', 'utf8'))
    const needs = await Promise.all(
      Object.entries<{ default: string }>(exports).map(async ([entrance, { default: path }]) => [
        entrance,
        [...(await packagesOf(join(directory, path.replace('./dist/', ''))))].sort(),
      ]),
    )
    expect(Object.fromEntries(needs)).toEqual({
      '.': ['graphql-ws'],
      './ai-sdk': ['graphql-ws'],
      './ai-sdk-stream': ['ai', 'graphql-ws'],
      './anthropic': ['graphql-ws'],
      './assistant-ui': ['graphql-ws'],
      './langchain': ['@langchain/core/chat_history', '@langchain/core/messages', 'graphql-ws'],
      './openai': ['graphql-ws'],
      './openai-agents': ['graphql-ws'],
    })
  } finally {
    await rm(directory, { recursive: true })
  }
})

/** What a built file, and whatever it imports of its own, imports of others. */
async function packagesOf(path: string, packages = new Set<string>(), seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(path)) return packages
  seen.add(path)
  for (const [, name] of (await readFile(path, 'utf8')).matchAll(/(?:from|import) ?'([^']+)'/g)) {
    if (name?.startsWith('.')) await packagesOf(join(dirname(path), name), packages, seen)
    else packages.add(name as string)
  }
  return packages
}
