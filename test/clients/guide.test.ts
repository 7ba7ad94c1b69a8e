import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildSchema, isInterfaceType, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { useGuide } from '../support/documents/guide.ts'
import { readBlocks, writeBlocks } from './blocks.ts'

/** Each has a name, by which it is written as a file: all are programs below. */
const programs = useGuide('docs/clients.md').take('ts', 14)
const schema = buildSchema(await readFile('schema.graphql', 'utf8'))
const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))

test('every block of docs/clients.md has a name of its own', async () => {
  expect([...(await readBlocks()).values()]).toHaveLength(programs.length)
})

test('docs/clients.md names the types of every interface', async () => {
  const place = await writeBlocks('guide', 'http://127.0.0.1:1')
  const { possibleTypes } = await import(join(place, 'possible-types.ts'))
  const interfaces = types.filter(isInterfaceType)
  const names = interfaces.map((type) => [
    type.name,
    schema
      .getPossibleTypes(type)
      .map(({ name }) => name)
      .sort(),
  ])
  expect(possibleTypes).toEqual(Object.fromEntries(names))
})

test('docs/clients.md names every type without an id, but those that graphcache knows by their names', async () => {
  const urql = (await readBlocks()).get('urql.ts') ?? ''
  const named = [...urql.matchAll(/^ {4}(\w+): none,$/gm)].map(([, name]) => name)
  const isKnown = (name: string) => /(Connection|Edge|PageInfo|Payload|^Query|^Mutation|^Subscription)$/.test(name)
  // Types that only a subscription answers have no keys, but for those that `changes` answers too.
  const isOfList = (name: string) => /^ConversationList(ed|CaughtUp)$|^ConversationUnlisted$/.test(name)
  const keyless = types
    .filter((type) => isObjectType(type) && type.getFields().id === undefined)
    .map(({ name }) => name)
  expect(named.sort()).toEqual(keyless.filter((name) => !isKnown(name) && !isOfList(name)).sort())
})

/** What a program around the blocks has. */
const models = `import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { Model, Tool } from '@openai/agents'
import type { LanguageModel, ToolSet } from 'ai'
export declare const model: LanguageModel
export declare const tools: ToolSet
export declare const chatModel: BaseChatModel
export declare const agentModel: Model
export declare const agentTools: Tool[]
`

test('the blocks of docs/clients.md, and React in the README, are programs that strict TypeScript takes', async () => {
  const [, react = ''] = /```tsx\n([\s\S]*?)```/.exec(await readFile('README.md', 'utf8')) ?? []
  const place = await writeBlocks('types', 'http://127.0.0.1:1', { 'model.d.ts': models, 'readme.tsx': react })
  const paths = {
    // The page has them.
    '@assistant-ui/react': ['../../../../web/node_modules/@assistant-ui/react/dist/index.d.ts'],
    react: ['../../../../web/node_modules/@types/react/index.d.ts'],
    'react/jsx-runtime': ['../../../../web/node_modules/@types/react/jsx-runtime.d.ts'],
    '@colloquy/client': ['../../../../client/src/index.ts'],
    '@colloquy/client/*': ['../../../../client/src/*.ts'],
  }
  const compilerOptions = {
    rootDir: '../../../..',
    lib: ['es2024', 'dom', 'dom.iterable'],
    jsx: 'react-jsx',
    allowImportingTsExtensions: true,
    paths,
  }
  const config = { extends: '../../../../tsconfig.json', compilerOptions, include: ['*.ts', '*.tsx'], exclude: [] }
  await writeFile(join(place, 'tsconfig.json'), JSON.stringify(config))
  const { stdout } = spawnSync('tsc', ['-p', place], { encoding: 'utf8' })
  expect(stdout).toBe('')
})
