import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildSchema, isInterfaceType, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { readBlocks, writeBlocks } from './blocks.ts'

const schema = buildSchema(await readFile('schema.graphql', 'utf8'))
const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))

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
