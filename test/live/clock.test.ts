import { beforeAll, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { Api } from '../support/api.ts'
import { createDatabase } from '../support/database/database.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

beforeAll(buildPrograms)

const lag = 600_000

/** Node loads this before the server: its clock is then ten minutes behind. */
const clock = `
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...given) { given.length === 0 ? super(Right.now() - ${lag}) : super(...given) }
    static now() { return Right.now() - ${lag} }
  }`

async function serveBehind(databaseUrl: string, settings: Record<string, string> = {}): Promise<ServerProcess> {
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(clock)}`
  const server = await ServerProcess.start(databaseUrl, { NODE_OPTIONS, LOG_LEVEL: 'debug', ...settings })
  await fetch(`${server.url}/nowhere`)
  const [, time] = await server.program.prints(/"time":"(.+?)"/)
  expect(Date.now() - Date.parse(time as string)).toBeGreaterThan(lag - 1)
  return server
}

const ada = { 'x-user-id': 'ada' }
const create = 'mutation ($id: ID!) { createConversation(input: { id: $id }) { created } }'
const drop = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'
const follow = `subscription ($after: String) { conversationsChanged(after: $after) { __typename cursor
  ... on ConversationListed { conversation { id lastSeq } } ... on ConversationUnlisted { conversationId } } }`

const eventOf = (answer: Answer | null) => answer?.data?.conversationsChanged
const tell = (answer: Answer | null) => {
  const { __typename, conversation, conversationId } = eventOf(answer)
  if (conversation) return `${conversation.id} ${conversation.lastSeq}`
  return conversationId ? `${conversationId} gone` : __typename
}

test('a server whose own clock is ten minutes behind loses no event of a list, and its cursors are good everywhere', async () => {
  await using database = await createDatabase()
  await using right = await serve(database.url)
  await using behind = await serveBehind(database.url, { POLL_MS: '600000' })
  const apis = [right.as(ada), new Api(behind.url, ada)] as const
  const cursors: string[] = []
  {
    await using here = apis[0].subscribe(follow, { after: '' })
    await using there = apis[1].subscribe(follow, { after: '' })
    for (const feed of [here, there]) expect(tell(await feed.next())).toBe('ConversationListCaughtUp')
    for (const [n, writer] of [apis[1], apis[0], apis[1]].entries()) {
      const happens: [() => Promise<unknown>, string][] = [
        [() => writer.get(create, { id: `c${n}` }), `c${n} 0`],
        [() => writer.append(`c${n}`, 'm'), `c${n} 1`],
        [() => writer.append(`d${n}`, 'm'), `d${n} 1`],
        [() => writer.append(`c0`, 'm'), `c0 ${n + 2}`],
        [() => writer.get(drop, { id: `d${n}` }), `d${n} gone`],
      ]
      for (const [happen, told] of happens) {
        await happen()
        for (const feed of [here, there]) {
          const answer = await feed.next()
          expect(tell(answer)).toBe(told)
          cursors.push(eventOf(answer).cursor)
        }
      }
    }
  }
  for (const writer of apis) {
    await writer.append('c1', 'm')
    await writer.get(create, { id: `late ${apis.indexOf(writer)}` })
  }
  for (const after of cursors.slice(-2)) {
    for (const reader of apis) {
      await using resumed = reader.subscribe(follow, { after })
      const told = [await resumed.next(), await resumed.next(), await resumed.next(), await resumed.next()].map(tell)
      expect(told).toEqual(['late 0 0', 'c1 3', 'late 1 0', 'ConversationListCaughtUp'])
    }
  }
})

const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt message { id } } }`
const add = `mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }`
const complete = `mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { message { status content } } }`
const statusOf = 'query ($id: ID!) { node(id: $id) { ... on Message { status } } }'

test.each(['the late server', 'the other'])(
  'whatever clocks say, %s fails the streams whose producers are gone, and no other',
  async (reaper) => {
    await using database = await createDatabase()
    const rounds = (who: string) => ({ POLL_MS: who === reaper ? '50' : '600000' })
    await using right = await serve(database.url, rounds('the other'))
    await using behind = await serveBehind(database.url, rounds('the late server'))
    for (const api of [right.as(ada), new Api(behind.url, ada)]) {
      const begin = async (timeoutSeconds: number) => {
        const input = { conversationId: 'c', ifMissing: 'CREATE', timeoutSeconds }
        const { startMessage } = await api.get(start, { input })
        return { messageId: startMessage.message.id as string, attempt: startMessage.attempt as number }
      }
      const lives = await begin(300)
      const dies = await begin(1)
      await until(async () => (await api.get(statusOf, { id: dies.messageId })).node.status === 'FAILED')
      await api.get(add, { input: { ...lives, chunk: 0, text: 'still here' } })
      const { completeMessage } = await api.get(complete, { input: { ...lives, chunks: 1 } })
      expect(completeMessage.message).toEqual({ status: 'COMPLETE', content: 'still here' })
    }
  },
)
