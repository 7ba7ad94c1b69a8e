import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { HumanMessage } from '@langchain/core/messages'
import { generateText } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { readModelMessages } from '../../client/src/ai-sdk.ts'
import { runMessagesTurn } from '../../client/src/anthropic.ts'
import { ColloquyChatMessageHistory } from '../../client/src/langchain.ts'
import { runChatTurn } from '../../client/src/openai.ts'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'
import { local, runShown } from '../support/documents/shown-programs.ts'
import { until } from '../support/until.ts'
import { chatScript, ModelServer, messagesScript } from '../support/window/model-server.ts'

const bed = useBed()
const guide = useGuide('client/README.md')
const [overSocket, overStreams, follow, stream, ...examples] = guide.take('ts', 11)
// The others run in test/client: the route in client-ai-sdk, and the thread in client-thread.
const [branches, turn, answering, , window, , history] = examples

/** What a program around the examples has. */
const models = `import type { LanguageModel, ToolSet } from 'ai'
export declare function openai(name: string): LanguageModel
export declare const tools: ToolSet
`

test("the client's README: every example of an adapter, and that of branches, is a program that the types take", async () => {
  // Where the SDKs are found.
  const directory = await mkdtemp(join('node_modules', '.readme-'))
  try {
    const compilerOptions = {
      paths: { '@colloquy/client': ['../../client/src/index.ts'], '@colloquy/client/*': ['../../client/src/*.ts'] },
      lib: ['es2023', 'dom', 'dom.iterable'],
      rootDir: '../..',
      allowImportingTsExtensions: true,
    }
    const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] }
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(join(directory, 'models.ts'), models)
    for (const [index, example] of examples.entries()) {
      await writeFile(join(directory, `example-${index}.ts`), `${example}export {}\n`)
    }
    const { stdout } = spawnSync('tsc', ['-p', directory], { encoding: 'utf8' })
    // What is only shown is not used.
    expect(stdout.split('\n').filter((line) => line !== '' && !/error TS(6133|6198)/.test(line))).toEqual([])
  } finally {
    await rm(directory, { recursive: true })
  }
})

/** Where a program has a client: it follows a conversation with the variable that `resumable` moves. */
const iterate = `
const query = 'subscription ($after: String) { messageAppended(conversationId: "followed", after: $after) { node { content } } }'
for await (const { data } of client.iterate({ query, variables: { after: '' } })) show([data.messageAppended.node])
`

test("the client's README: what makes a client resumable runs word for word", async () => {
  await bed.server.as(local).append('followed', 'Hello')
  expect(await runShown([overSocket, overStreams], bed.server, iterate)).toEqual(['Hello', 'Hello'])
})

test("the client's README: the programs that follow and stream run word for word, in their order", async () => {
  const following = runShown([follow], bed.server)
  await runShown([stream], bed.server)
  expect(await following).toEqual(['And when?'])
  expect(await contents()).toEqual(['And when?', 'To morrow.'])
})

test("the client's README: another answer and another question stand beside the first", async () => {
  const behind = `
  const at = { url, connectionParams }
  const query = '{ conversation(id: "support-17") { history { id parentId conversationId } } }'
  const [asked, answered] = (await request(at, query)).conversation.history
  for (const other of [exported.answerAnew(at, answered), exported.askAnew(at, asked, 'And how?')]) {
    other.write('Other.')
    await other.complete()
  }
  for await (const { edge } of exported.followVersions(at, 'support-17')) {
    // The first tells where the active path ends now.
    if (edge) versions.push(edge.node.siblings.count)
    if (versions.length === 5) break
  }`
  const versions: unknown[] = []
  await runShown([branches], bed.server, behind, { versions })
  // The question, its two answers, and the other question with its own.
  expect(versions).toEqual([2, 2, 2, 2, 1])
  expect(await contents()).toEqual(['And how?', 'Other.'])
})

test("the client's README: a turn with OpenAI's client and one with Anthropic's are stored", async () => {
  const calls = [{ id: 'call_1', name: 'find_order', arguments: '{"id":4}' }]
  await using model = await ModelServer.start(
    chatScript({ calls }),
    chatScript({ texts: ['On its way.'] }),
    messagesScript({ texts: ['Tomorrow.'] }),
  )
  const more = {
    runChatTurn,
    runMessagesTurn,
    OpenAI: class extends OpenAI {
      constructor() {
        super({ apiKey: 'k', baseURL: `${model.url}/v1`, maxRetries: 0 })
      }
    },
    Anthropic: class extends Anthropic {
      constructor() {
        super({ apiKey: 'k', baseURL: model.url, maxRetries: 0 })
      }
    },
  }
  expect(await runShown([turn], bed.server, 'show([{ content: text }])', more)).toEqual(['On its way.'])
  const behind = `
  const at = { url, connectionParams, conversationId: 'support-17' }
  const { text } = await exported.answer({ ...at, userMessage: 'When?', system: 'Be brief.', maxTokens: 20_000 })
  show([{ content: text }])`
  expect(await runShown([answering], bed.server, behind, more)).toEqual(['Tomorrow.'])
  expect((await contents()).slice(-6)).toEqual([
    'Where is my order 4?',
    null,
    '{"id":4,"status":"shipped"}',
    'On its way.',
    'When?',
    'Tomorrow.',
  ])
})

test("the client's README: a window is what the AI SDK takes, and a history of LangChain has what is stored", async () => {
  const finishReason = { unified: 'stop', raw: 'stop' } as const
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  }
  const model = new MockLanguageModelV4({
    doGenerate: { content: [{ type: 'text', text: 'Seen.' }], finishReason, usage, warnings: [] },
  })
  const texts: string[] = []
  const more = {
    readModelMessages,
    ColloquyChatMessageHistory,
    HumanMessage,
    openai: () => model,
    streamText: async (options: Parameters<typeof generateText>[0]) => {
      texts.push((await generateText(options)).text)
    },
  }
  await runShown([window], bed.server, '', more)
  await until(() => texts.length > 0)
  expect(texts).toEqual(['Seen.'])
  const shown = await runShown([history], bed.server, 'show([{ content: messages.at(-1).content }])', more)
  expect(shown).toEqual(['Where is my order?'])
})

async function contents(): Promise<(string | null)[]> {
  const { conversation } = await bed.server.as(local).get('{ conversation(id: "support-17") { history { content } } }')
  return conversation.history.map(({ content }: { content: string | null }) => content)
}
