import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, test } from 'vitest'
import client from '../../client/package.json' with { type: 'json' }
import { useBed } from '../support/bed.ts'
import { isLong } from '../support/long.ts'
import clients from './package.json' with { type: 'json' }

const bed = useBed()
const execute = promisify(execFile)

/** Uses every entrance, and prints what it read. */
const uses = `
const at = { url: process.env.URL as string, connectionParams: { 'x-user-id': 'ada' }, conversationId: process.env.ID as string }
const text = (id: string, role: 'user' | 'assistant', text: string): UIMessage => ({ id, role, parts: [{ type: 'text', text }] })
const chunks = new ReadableStream<UIMessageChunk>({
  start(controller) {
    controller.enqueue({ type: 'start', messageId: 'a' })
    controller.enqueue({ type: 'text-start', id: 't' })
    controller.enqueue({ type: 'text-delta', id: 't', delta: 'Yes.' })
    controller.enqueue({ type: 'text-end', id: 't' })
    controller.close()
  },
})
async function main(): Promise<void> {
  const messages = [text('q', 'user', 'Is it cold?')]
  await saveChat({ ...at, messages })
  const answer = streamAnswer({ ...at, messages })
  answer.store(chunks)
  await answer.stored
  const history = new ColloquyChatMessageHistory(at)
  await history.addMessages([new HumanMessage('How cold?')])
  const seen: (string | null)[] = []
  for await (const event of followConversation({ ...at, after: '' })) {
    if (event.__typename === 'CaughtUp') break
    if (event.__typename === 'MessageAppended') seen.push(event.edge.node.content)
  }
  const context: ContextWindow | null = await readContext({ ...at, maxTokens: 100 })
  console.log(JSON.stringify({
    seen,
    chat: (await loadChat(at)).length,
    history: (await history.getMessages()).length,
    items: (await new ColloquySession(at).getItems()).length,
    window: context?.included,
    functions: [resumable, runChatTurn, runMessagesTurn, openThread].map((one) => typeof one),
  }))
}
void main()
`

const named = `
import { type ContextWindow, followConversation, readContext, resumable } from '@colloquy/client'
import { loadChat, saveChat } from '@colloquy/client/ai-sdk'
import { streamAnswer } from '@colloquy/client/ai-sdk-stream'
import { runMessagesTurn } from '@colloquy/client/anthropic'
import { openThread } from '@colloquy/client/assistant-ui'
import { ColloquyChatMessageHistory } from '@colloquy/client/langchain'
import { runChatTurn } from '@colloquy/client/openai'
import { ColloquySession } from '@colloquy/client/openai-agents'
import { HumanMessage } from '@langchain/core/messages'
import type { UIMessage, UIMessageChunk } from 'ai'
`

/** TypeScript takes `require` of an ES module under nodenext, and not under node16: there CommonJS has `import()`. */
const dynamic = `
import type { ContextWindow } from '@colloquy/client' with { 'resolution-mode': 'import' }
import type { UIMessage, UIMessageChunk } from 'ai' with { 'resolution-mode': 'import' }
export async function names() {
  const { followConversation, readContext, resumable } = await import('@colloquy/client')
  const { loadChat, saveChat } = await import('@colloquy/client/ai-sdk')
  const window: ContextWindow | null = await readContext({ url: '', conversationId: '', maxTokens: 1 })
  const chat: UIMessage[] = await loadChat({ url: '', conversationId: '' })
  const chunks: ReadableStream<UIMessageChunk> | null = await (await import('@colloquy/client/ai-sdk-stream')).resumeAnswer({
    url: '',
    conversationId: '',
  })
  const { ColloquyChatMessageHistory } = await import('@colloquy/client/langchain')
  const { runChatTurn } = await import('@colloquy/client/openai')
  const { runMessagesTurn } = await import('@colloquy/client/anthropic')
  const { openThread } = await import('@colloquy/client/assistant-ui')
  const { ColloquySession } = await import('@colloquy/client/openai-agents')
  return { followConversation, resumable, saveChat, window, chat, chunks, ColloquyChatMessageHistory, ColloquySession, runChatTurn, runMessagesTurn, openThread }
}
`

/** Where and how programs are compiled. */
const projects = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext', files: ['main.mts', 'main.cts'] },
  bundler: { module: 'esnext', moduleResolution: 'bundler', files: ['main.ts'] },
  node16: { module: 'node16', moduleResolution: 'node16', files: ['main.mts', 'import.cts'] },
}

let folder: string
/** The file that `npm pack` made. */
let packed: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colloquy-package-'))
  const npm = (cwd: string, ...args: string[]) => execute('npm', [...args, '--no-audit', '--no-fund'], { cwd })
  const { '@langchain/core': langchain, ai, 'graphql-ws': graphqlWs } = clients.dependencies
  const dependencies = {
    '@langchain/core': langchain,
    // The types of the AI SDK want these.
    '@types/json-schema': '7.0.15',
    '@types/node': '22.19.0',
    ai,
    'graphql-ws': graphqlWs,
    typescript: client.devDependencies.typescript,
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  await npm(folder, 'install', '--ignore-scripts', '--prefer-offline')
  // A clone in which nothing is installed or built. What the build needs is found in the folder around it.
  const clone = join(folder, 'clone')
  await mkdir(clone)
  await cp('tsconfig.json', join(clone, 'tsconfig.json'))
  for (const name of await readdir('client')) {
    if (['dist', 'node_modules'].includes(name)) continue
    await cp(join('client', name), join(clone, 'client', name), { recursive: true })
  }
  const { stdout } = await npm(join(clone, 'client'), 'pack', '--pack-destination', folder)
  packed = stdout.trim().split('\n').at(-1) as string
  await npm(folder, 'install', '--ignore-scripts', '--prefer-offline', `./${packed}`)
}, 300_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

test('its README installs the file that npm pack makes, which has the version of the client', async ({ expect }) => {
  expect(packed).toBe(`colloquy-client-${client.version}.tgz`)
  expect(await readFile('client/README.md', 'utf8')).toContain(`npm install ./${packed} `)
})

test('the package holds its build, its licence and its README, and nothing else', async ({ expect }) => {
  const installed = join(folder, 'node_modules/@colloquy/client')
  expect((await readdir(installed)).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json'])
  for (const { types, default: code } of Object.values(client.exports)) {
    expect(await readdir(join(installed, 'dist'))).toEqual(
      expect.arrayContaining([types.replace('./dist/', ''), code.replace('./dist/', '')]),
    )
  }
})

test.concurrent.for(Object.entries(projects).slice(0, isLong ? undefined : 1))(
  'a program of strict TypeScript under %s takes every entrance, and runs',
  // The types of all libraries are checked.
  { timeout: 180_000 },
  async ([name, { module, moduleResolution, files }], { expect }) => {
    const place = join(folder, name)
    await mkdir(place)
    for (const file of files) await writeFile(join(place, file), file === 'import.cts' ? dynamic : named + uses)
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'dom', 'dom.iterable'],
      module,
      moduleResolution,
      strict: true,
      skipLibCheck: false,
      types: ['node'],
      outDir: 'out',
      rootDir: '.',
    }
    await writeFile(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    await writeFile(join(place, 'package.json'), '{ "type": "module" }')
    const tsc = join(folder, 'node_modules/.bin/tsc')
    const compiled = await execute(tsc, ['-p', place]).catch((error: { stdout: string }) => error)
    expect(compiled.stdout).toBe('')
    for (const file of files.filter((one) => one.startsWith('main'))) {
      const env = { ...process.env, URL: `${bed.server.url}/graphql`, ID: `${name} ${file}` }
      const { stdout } = await execute(process.execPath, [join(place, 'out', file.replace('ts', 'js'))], { env })
      expect(JSON.parse(stdout)).toEqual({
        seen: ['Is it cold?', 'Yes.', 'How cold?'],
        chat: 3,
        history: 3,
        items: 3,
        window: 3,
        functions: ['function', 'function', 'function', 'function'],
      })
    }
  },
)
