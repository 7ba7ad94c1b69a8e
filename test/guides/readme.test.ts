import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withExample, withLimits, withSettings } from '../../scripts/generated.ts'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'
import { local, runShown } from '../support/documents/shown-programs.ts'
import { Clone } from '../support/program/clone.ts'
import { buildPrograms } from '../support/program/program.ts'

const bed = useBed()
const readme = useGuide('README.md')
const [start, asPackage] = readme.take('sh', 2)
const [ready] = readme.take('', 1)
// It is run by test/web/page.test.ts, and judged by test/clients/guide.test.ts.
readme.take('tsx', 1)
const guide = useGuide('docs/start.md')
const [help, curl, importing] = guide.take('sh', 3)
const [listChanges] = guide.take('', 1)
const [hello] = guide.take('js', 1)
const programs = guide.take('ts', 3)
const [turn, stream] = guide.take('graphql', 2)

let clone: Clone

beforeAll(async () => {
  buildPrograms()
  clone = await Clone.make()
})

afterAll(() => clone[Symbol.asyncDispose]())

test('the client of docs/start.md is the example: npm run generate', async () => {
  const example = await readFile('examples/hello.mjs', 'utf8')
  expect(hello).toBe(example)
  expect(guide.text).toBe(withExample(example)(guide.text))
})

test.each([
  ['docs/settings.md', '| `PORT` |', withSettings],
  ['SECURITY.md', '| `MAX_BODY_BYTES` |', withLimits],
] as const)('%s has the settings of config.ts: npm run generate', async (path, row, made) => {
  const text = await readFile(path, 'utf8')
  expect(text).toContain(row)
  expect(text).toBe(made(text))
})

test("the README's first start prints what the README says", async () => {
  await using server = clone.run(start, { PORT: '0' })
  await server.prints(/ Access .*\n/)
  // npm says first what it runs.
  const printed = server.stdout.slice(server.stdout.indexOf('Colloquy is ready.'))
  const here = printed.replaceAll(/(127\.0\.0\.1):\d+/g, '$1:4000').replace(clone.folder, '/home/you/colloquy')
  expect(here).toBe(ready)
})

test('the README keeps its figures: they are those of the file that the command writes', async () => {
  const rows = [...readme.text.matchAll(/^\| (.*) \| `(npm run [^`]+)` \|$/gm)]
  expect(rows).toHaveLength(9)
  for (const [, told = '', command = ''] of rows) {
    const isBench = command.startsWith('npm run bench')
    const written = await readFile(isBench ? 'bench/results.md' : 'docs/reliability.md', 'utf8')
    const part = written.split('\n## ').find((section) => section.includes(`\`${command}\``)) ?? ''
    const figures = (text: string) => text.replaceAll(/(?<=\d),(?=\d)/g, '').match(/\d+(\.\d+)?/g) ?? []
    const known = new Set(figures(part))
    expect([command, figures(told).filter((figure) => !known.has(figure))]).toEqual([command, []])
  }
})

test('the README names the versions of other programs that are tried', async () => {
  const manifests = ['test/clients/package.json', 'web/package.json', 'package.json']
  const tried = await Promise.all(manifests.map(async (path) => JSON.parse(await readFile(path, 'utf8'))))
  const named = [...readme.text.matchAll(/`([@\w/-]+)` (\d+\.\d+\.\d+)/g)]
  expect(named.length).toBeGreaterThan(12)
  for (const [, name = '', version] of named) {
    const versions = tried.flatMap(
      ({ dependencies, devDependencies }) => dependencies[name] ?? devDependencies?.[name] ?? [],
    )
    expect([name, [...new Set(versions)]]).toEqual([name, [version]])
  }
})

test('the package starts in a folder of its own, as the README says', { timeout: 300_000 }, async () => {
  expect(readme.text).toContain('`npm run package` makes `colloquy-')
  await clone.finish('npm run package')
  await using server = clone.run(asPackage, { PORT: '0', DATA_DIR: 'of-the-package' })
  await server.prints(/ Access /)
  expect(await clone.finish(help)).toContain('colloquy')
})

test('the import of docs/start.md stores the conversations of a file', async () => {
  const said = { id: 'imported', messages: [{ role: 'user', content: 'From a file' }] }
  await writeFile(join(clone.folder, 'conversations.json'), JSON.stringify(said))
  await clone.finish(importing, { COLLOQUY_URL: `${bed.server.url}/graphql` })
  expect(await contents('imported')).toEqual(['From a file'])
})

test('the subscription of docs/start.md tells of a conversation that is created, and of one that is deleted', async () => {
  const api = bed.server.as(local)
  const { conversations } = await api.get('{ conversations { cursor } }')
  await using changes = api.subscribe(listChanges, { after: conversations.cursor })
  await api.append('listed', 'first')
  await api.get('mutation { deleteConversation(input: { id: "listed" }) { deletedConversationId } }')
  // Of what happens between two looks only the last is told.
  for (;;) {
    const change = (await changes.next())?.data.conversationsChanged
    expect(change.cursor).toEqual(expect.any(String))
    if (change.conversationId === 'listed') break
  }
})

test('the client of docs/start.md prints its own message and then live ones', async () => {
  const client = spawn(process.execPath, ['examples/hello.mjs'], {
    env: { ...process.env, COLLOQUY_URL: `${bed.server.url}/graphql` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
  expect((await lines.next()).value).toContain("{ seq: 1, role: 'USER', content: 'Hello, world' }")
  await bed.server.as(local).append('hello', 'and live')
  expect((await lines.next()).value).toContain("{ seq: 2, role: 'USER', content: 'and live' }")
  client.kill()
  await new Promise((resolve) => client.once('exit', resolve))
})

test('the client of docs/start.md follows PORT, and ends with one sentence without a server or with an argument', async () => {
  const hello = async (env: Record<string, string>, ...args: string[]) => {
    const child = spawn(process.execPath, ['examples/hello.mjs', ...args], { env: { PATH: process.env.PATH, ...env } })
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { stdout, stderr, status }
  }
  for (const [result, reason] of [
    [
      await hello({ PORT: '1' }),
      /^hello failed: .*http:\/\/127\.0\.0\.1:1\/graphql: npm start, or name yours in COLLOQUY_URL\.\n$/,
    ],
    [await hello({ COLLOQUY_URL: 'nowhere' }), /^hello failed: ERR_INVALID_URL\. .*nowhere: .*\n$/],
    [await hello({ COLLOQUY_URL: `${bed.server.url}/elsewhere` }), /^hello failed: There is nothing here.*\n$/],
    [await hello({ PORT: '1' }, '--x'), /^hello failed: it takes no arguments, and --x was given\. .*\n$/],
  ] as const) {
    expect(result.stderr).toMatch(reason)
    expect([result.stdout, result.status]).toEqual(['', 1])
  }
})

test('the programs of docs/start.md run word for word, in their order, after the client', async () => {
  expect(await runShown(programs, bed.server)).toEqual(['Hello, world'])
  expect(await contents('support-17')).toEqual(['And when?', 'To morrow.'])
})

test('the event stream of docs/start.md has what its programs said', async () => {
  await using stream = clone.run(curl.replace('http://127.0.0.1:4000', bed.server.url))
  await stream.prints(/^data: .*"seq":\d/m)
})

async function contents(id: string): Promise<string[]> {
  const query = 'query ($id: ID!) { conversation(id: $id) { history { content } } }'
  const { conversation } = await bed.server.as(local).get(query, { id })
  return conversation.history.map(({ content }: { content: string }) => content)
}

test('the turns of docs/start.md are valid and do what they say', async () => {
  const ada = bed.server.as()
  const run = async (query: string | undefined, operationName: string, variables?: object) => {
    const response = await ada.post(JSON.stringify({ query, operationName, variables }))
    // biome-ignore lint/suspicious/noExplicitAny: as a caller of an untyped API does.
    return ((await response.json()) as { data: any }).data
  }
  expect(await run(turn, 'Open')).toEqual({ createConversation: { created: true } })
  expect(await run(turn, 'Ask')).toEqual({ appendMessage: { message: { seq: 1 } } })
  expect(await run(turn, 'Answer')).toEqual({ appendMessages: { conversation: { lastSeq: 4 } } })
  expect(await run(turn, 'Answer')).toEqual({ appendMessages: { conversation: { lastSeq: 4 } } })
  const { conversation } = await run(turn, 'Read')
  expect(conversation.history.map(({ role }: { role: string }) => role)).toEqual([
    'USER',
    'ASSISTANT',
    'TOOL',
    'ASSISTANT',
  ])
  const { message: started, conversation: open } = (await run(stream, 'Start')).startMessage
  expect(open.context.messages.at(-1)).toEqual({ role: 'user', content: 'And when?' })
  const { id } = started
  expect(await run(stream, 'Stream', { id })).toEqual({ appendMessageText: { nextChunk: 1, stopRequested: false } })
  const { message } = (await run(stream, 'Complete', { id })).completeMessage
  expect(message).toEqual({ content: 'Tomorrow.', status: 'COMPLETE' })
})
