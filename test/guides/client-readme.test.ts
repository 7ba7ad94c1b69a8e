import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** What a program around the examples has. */
const models = `import type { LanguageModel, ToolSet } from 'ai'
export declare function openai(name: string): LanguageModel
export declare const tools: ToolSet
`

test("the client's README: every example of an adapter, and that of branches, is a program that the types take", async () => {
  const readme = await readFile('client/README.md', 'utf8')
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block]) => block as string)
  const examples = blocks.filter((block) => /from '@colloquy\/client\/\w|^export /m.test(block))
  expect(examples).toHaveLength(7)
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
