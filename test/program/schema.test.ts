import { readFile } from 'node:fs/promises'
import { isEnumType, isInputObjectType, isInterfaceType, isNonNullType, isObjectType } from 'graphql'
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

/**
 * A field without a method of its own reads what its object already has. A method that gets only this object, and does
 * not wait, cannot fail either. Every other method can fail: by its arguments, by the database, or by a limit.
 */
test('a field that may fail is nullable, so that its error leaves the other fields of the answer as they are', () => {
  const schema = createSchema()
  // What a conversation is called depends on who asks, and on nothing else.
  const called = [
    'Conversation.id',
    'Message.conversationId',
    'Message.parentId',
    'MessageFeedback.conversationId',
    'WaitingConversation.conversationId',
  ]
  const cannotFail = [...methodsThatCannotFail(), ...called]
  const mayFail = Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || type.name.startsWith('__') || type === schema.getSubscriptionType()) return []
    const fields = Object.values(type.getFields()).map((field) => ({ ...field, path: `${type}.${field.name}` }))
    return fields.filter(({ resolve, path }) => resolve !== undefined && !cannotFail.includes(path))
  })
  expect(mayFail.length).toBeGreaterThan(30)
  expect(mayFail.filter(({ type }) => isNonNullType(type)).map(({ path }) => path)).toEqual([])
})

/** From what the decorators of Type-GraphQL recorded. */
function methodsThatCannotFail(): string[] {
  const { fieldResolvers, objectTypes } = (globalThis as unknown as { TypeGraphQLMetadataStorage: Recorded })
    .TypeGraphQLMetadataStorage
  return fieldResolvers
    .filter(({ params }) => params?.every(({ kind }) => kind === 'root') ?? true)
    .filter(({ target, methodName }) => !isAsync(target.prototype, methodName))
    .map(({ target, getObjectType, schemaName }) => {
      const type = objectTypes.find(({ target: own }) => own === (getObjectType?.() ?? target))
      return `${type?.name}.${schemaName}`
    })
}

function isAsync(prototype: object, methodName: string): boolean {
  // The getter of a property is not called here: it would miss its object.
  const { value } = Object.getOwnPropertyDescriptor(prototype, methodName) ?? {}
  return value?.constructor.name === 'AsyncFunction'
}

interface Recorded {
  readonly fieldResolvers: readonly {
    readonly schemaName: string
    readonly methodName: string
    readonly target: { readonly prototype: object }
    readonly params?: readonly { readonly kind: string }[]
    readonly getObjectType?: () => unknown
  }[]
  readonly objectTypes: readonly { readonly name: string; readonly target: unknown }[]
}

test('nothing but a Node has a field named id', () => {
  for (const type of Object.values(createSchema().getTypeMap())) {
    if (type.name.startsWith('__') || !isObjectType(type) || !('id' in type.getFields())) continue
    expect([type.name, ...type.getInterfaces().map(String)]).toEqual([type.name, 'Node'])
  }
})
