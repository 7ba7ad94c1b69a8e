import { createHash } from 'node:crypto'
import Anthropic from '@anthropic-ai/sdk'
import { ApolloClient, ApolloLink, type DocumentNode, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import { parse } from 'graphql'
import { GraphQLClient } from 'graphql-request'
import { createClient as createEventClient } from 'graphql-sse'
import { createClient as createSocketClient } from 'graphql-ws'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { runMessagesTurn } from '../../client/src/anthropic.ts'
import { runChatTurn } from '../../client/src/openai.ts'
import { useBed } from '../support/bed.ts'
import { chatScript, ModelServer, messagesScript } from '../support/window/model-server.ts'

const bed = useBed()

const url = () => `${bed.server.url}/graphql`
/** Who asks; the one setting of each client, besides the address. */
const headers = { 'x-user-id': 'ada' }

type Variables = Record<string, unknown>

/** Asks as one client does. */
interface Asking {
  query(text: string, variables?: Variables): Promise<unknown>
  mutate(text: string, variables: Variables): Promise<unknown>
}

function apollo(link: ApolloLink): Asking {
  const client = new ApolloClient({ link, cache: new InMemoryCache() })
  const parsed = (text: string): DocumentNode => parse(text)
  return {
    query: async (text, variables = {}) => {
      const { data } = await client.query({ query: parsed(text), variables, fetchPolicy: 'network-only' })
      return JSON.parse(JSON.stringify(data, (key, value) => (key === '__typename' ? undefined : value)))
    },
    mutate: async (text, variables) => (await client.mutate({ mutation: parsed(text), variables })).data,
  }
}

function urql(...exchanges: ConstructorParameters<typeof Client>[0]['exchanges']): Asking {
  const client = new Client({ url: url(), fetchOptions: { headers }, exchanges: [...exchanges, fetchExchange] })
  const orThrow = ({ data, error }: { data?: unknown; error?: unknown }) => {
    if (error) throw error
    return data
  }
  return {
    query: async (text, variables = {}) => orThrow(await client.query(text, variables)),
    mutate: async (text, variables) => orThrow(await client.mutation(text, variables)),
  }
}

const sha256 = async (text: string) => createHash('sha256').update(text).digest('hex')

const clients: Record<string, () => Asking> = {
  'Apollo Client': () => apollo(new HttpLink({ uri: url(), headers })),
  'Apollo Client with useGETForQueries': () => apollo(new HttpLink({ uri: url(), headers, useGETForQueries: true })),
  'Apollo Client with persisted queries': () =>
    apollo(ApolloLink.from([new PersistedQueryLink({ sha256 }), new HttpLink({ uri: url(), headers })])),
  'Apollo Client with persisted queries by GET': () =>
    apollo(
      ApolloLink.from([
        new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
        new HttpLink({ uri: url(), headers }),
      ]),
    ),
  urql: () => urql(),
  'urql with persisted queries': () => urql(persistedExchange()),
  'urql with persisted queries by POST': () => urql(persistedExchange({ preferGetForPersistedQueries: false })),
  'graphql-request': () => {
    const client = new GraphQLClient(url(), { headers })
    return { query: (...given) => client.request(...given), mutate: (...given) => client.request(...given) }
  },
  'graphql-request by GET': () => {
    const client = new GraphQLClient(url(), { headers, method: 'GET', jsonSerializer: JSON })
    const post = new GraphQLClient(url(), { headers })
    return { query: (...given) => client.request(...given), mutate: (...given) => post.request(...given) }
  },
}

const appendMutation = `mutation Say($input: AppendMessageInput!) { appendMessage(input: $input) { replayed } }`
const listQuery = `query List($id: ID!) { conversation(id: $id) { lastMessage { content } } }`

test.each(Object.entries(clients))('%s: the first queries and the first mutation', async (id, connect) => {
  const client = connect()
  expect(await client.query('{ viewer { userId } }')).toEqual({ viewer: { userId: 'ada' } })
  const message = { role: 'USER', content: 'Grüße 😀 & more?', metadata: { nested: { list: [1, 'two', null] } } }
  await client.mutate(appendMutation, { input: { conversationId: id, ifMissing: 'CREATE', message } })
  expect(await client.query(listQuery, { id })).toEqual({
    conversation: { lastMessage: { content: 'Grüße 😀 & more?' } },
  })
  await expect(client.query('{ nothing }')).rejects.toThrow(/Cannot query field "nothing"/)
  await expect(client.query('query ($id: ID!) { node(id: $id) { id } }', { id: 'msg_x' })).resolves.toBeDefined()
})

const appended = `subscription Appended($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { node { content } } }`

/** The first result of a subscription, by each of the ways that clients have. */
const followers: Record<string, (variables: Variables) => Promise<unknown>> = {
  'graphql-ws': async (variables) => {
    const client = createSocketClient({ url: url().replace('http', 'ws'), connectionParams: headers })
    for await (const { data } of client.iterate({ query: appended, variables })) return data
  },
  'graphql-sse': async (variables) => {
    const client = createEventClient({ url: `${url()}/stream`, headers })
    const results = client.iterate({ query: appended, variables })
    for await (const { data } of results) {
      client.dispose()
      return data
    }
  },
  'Apollo Client over graphql-ws': (variables) => {
    const socket = createSocketClient({ url: url().replace('http', 'ws'), connectionParams: headers })
    const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() })
    return first(client.subscribe({ query: parse(appended), variables }))
  },
  'urql over graphql-ws': (variables) => {
    const socket = createSocketClient({ url: url().replace('http', 'ws'), connectionParams: headers })
    const forwardSubscription = subscriptionExchange({
      forwardSubscription: ({ query = '', variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink as never) }),
      }),
    })
    const client = new Client({ url: url(), exchanges: [forwardSubscription] })
    return first(client.subscription(appended, variables))
  },
  'urql over its own event streams': (variables) => {
    const exchanges = [fetchExchange]
    const client = new Client({
      url: `${url()}/stream`,
      fetchOptions: { headers },
      exchanges,
      fetchSubscriptions: true,
    })
    return first(client.subscription(appended, variables))
  },
}

interface Results {
  subscribe(next: (result: { data?: unknown; error?: unknown }) => void): { unsubscribe(): void }
}

function first(results: Results): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const subscription = results.subscribe(({ data, error }) => {
      queueMicrotask(() => subscription.unsubscribe())
      if (error) reject(error)
      else resolve(data)
    })
  })
}

test.each(Object.entries(followers))('%s: the first subscription', async (id, follow) => {
  const ada = bed.server.as()
  await ada.append(id, 'stored')
  expect(await follow({ id, after: '' })).toMatchObject({ messageAppended: { node: { content: 'stored' } } })
})

test("OpenAI's and Anthropic's SDKs: a turn", async () => {
  await using model = await ModelServer.start(chatScript({ texts: ['One.'] }), messagesScript({ texts: ['Two.'] }))
  const turn = {
    url: url(),
    connectionParams: headers,
    conversationId: 'sdks',
    ifMissing: 'CREATE',
    userMessage: 'Go on.',
    model: 'm',
    maxTokens: 1_000,
  } as const
  const openai = new OpenAI({ apiKey: 'k', baseURL: `${model.url}/v1` })
  expect((await runChatTurn({ ...turn, client: openai })).text).toBe('One.')
  const anthropic = new Anthropic({ apiKey: 'k', baseURL: model.url })
  expect((await runMessagesTurn({ ...turn, client: anthropic, request: { max_tokens: 100 } })).text).toBe('Two.')
})
