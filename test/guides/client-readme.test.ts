import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/guide.ts'
import { local, runShown } from '../support/shown-programs.ts'

const bed = useBed()
const guide = useGuide('client/README.md')
const [overSocket, overStreams, follow, stream, ...examples] = guide.take('ts', 10)

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
  const { conversation } = await bed.server.as(local).get('{ conversation(id: "support-17") { history { content } } }')
  expect(conversation.history).toEqual([{ content: 'And when?' }, { content: 'To morrow.' }])
})
