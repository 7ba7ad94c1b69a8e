import { readFile } from 'node:fs/promises'
import { isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { renderClientSelections, renderClientToolName, renderClientTypes } from '../../scripts/client-types.ts'
import { renderSchema } from '../../scripts/generated.ts'
import { createSchema } from '../../src/graphql/schema.ts'

test('schema.graphql is that of the code: npm run generate', async () => {
  expect(await readFile('schema.graphql', 'utf8')).toBe(renderSchema(createSchema()))
})

test("the client's types and selections are those of the schema: npm run generate", async () => {
  const schema = createSchema()
  expect(await readFile('client/src/schema/types.ts', 'utf8')).toBe(renderClientTypes(schema))
  expect(await readFile('client/src/schema/selections.ts', 'utf8')).toBe(renderClientSelections(schema))
})

test("the client's rule for names of tools is the server's: npm run generate", async () => {
  const text = await renderClientToolName(new URL('../../', import.meta.url))
  expect(await readFile('client/src/message/tool-name.ts', 'utf8')).toBe(text)
})

test('every type, field, argument and value has a description', () => {
  const schema = createSchema()
  const bare: string[] = []
  const see = (path: string, { description }: { description?: string | null | undefined }) => {
    if (!description?.trim()) bare.push(path)
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue
    see(type.name, type)
    if (isEnumType(type)) for (const value of type.getValues()) see(`${type.name}.${value.name}`, value)
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) see(`${type.name}.${field.name}`, field)
    }
    if (!isObjectType(type) && !isInterfaceType(type)) continue
    for (const field of Object.values(type.getFields())) {
      see(`${type.name}.${field.name}`, field)
      for (const argument of field.args) see(`${type.name}.${field.name}(${argument.name})`, argument)
    }
  }
  for (const directive of schema.getDirectives()) {
    see(`@${directive.name}`, directive)
    for (const argument of directive.args) see(`@${directive.name}(${argument.name})`, argument)
  }
  expect(bare).toEqual([])
})

test('nothing but a Node has a field named id', () => {
  for (const type of Object.values(createSchema().getTypeMap())) {
    if (type.name.startsWith('__') || !isObjectType(type) || !('id' in type.getFields())) continue
    expect([type.name, ...type.getInterfaces().map(String)]).toEqual([type.name, 'Node'])
  }
})
