import { readFile } from 'node:fs/promises'
import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLEnumType,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLScalarType,
  type GraphQLSchema,
  type GraphQLType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  print,
} from 'graphql'

/**
 * Fields that the client's default selections leave out, because each costs the server one more look at the database, or
 * because servers of the last release do not have it, and followers go on through an upgrade. The selections also leave out
 * fields with arguments.
 */
const apart = [
  'Message.conversation',
  'MessageAuthor.picture',
  'Message.siblings',
  'Message.readBy',
  'Message.reactions',
  'Message.replyTo',
  'Message.mentions',
  'Message.feedback',
  'ToolCall.approval',
  'MessageAppended.changedSiblings',
  'Conversation.lastMessage',
  'Conversation.viewerRole',
  'Conversation.historyFrom',
  'Conversation.readSeq',
  'Conversation.unreadCount',
  'Conversation.present',
  'Conversation.unreadMentions',
  'Conversation.searchable',
  'Conversation.takenOverBy',
  'Conversation.waiting',
  'Conversation.ownerName',
  'MessageTextAppended.message',
  'OmittedMessages.messages',
  'OmittedMessages.tokens',
]

/** Fields that the server never answers with null, though their types allow it. Their descriptions say why. */
const neverNull = ['MessageUpdated.message', 'MessageDeleted.message']

/** The fields that are read of a message to which a conversation refers. */
const reference = ['id', 'seq']

/** The text of `client/src/schema/types.ts`: the enums, inputs, objects and events of the API. */
export function renderClientTypes(schema: GraphQLSchema): string {
  const types = Object.values(schema.getTypeMap())
    .filter(({ name }) => !name.startsWith('__'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
  const roots: unknown[] = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  return [
    header,
    ...types.filter(isEnumType).map(enumText),
    ...types.filter(isInputObjectType).map((type) => inputText(type.name, type.description, type.getFields())),
    inputText('ContextArguments', 'The arguments of the field `context` of a conversation.', contextArguments(schema)),
    ...types.filter(isObjectType).flatMap((type) => (roots.includes(type) ? [] : [objectText(type)])),
    ...types.filter(isInterfaceType).flatMap((type) => (isEvent(type) ? [eventText(schema, type)] : [])),
  ].join('\n')
}

/** The text of `client/src/schema/selections.ts`: what the client asks the server for. */
export function renderClientSelections(schema: GraphQLSchema): string {
  const { Message, ContextWindow, ConversationEvent, StartMessageInput } = schema.getTypeMap() as Named
  const args = contextArguments(schema)
  const variables = Object.values(args).map((argument) => `$${argument.name}: ${argument.type}${defaultOf(argument)}`)
  const given = Object.keys(args).map((name) => `${name}: $${name}`)
  const common = Object.keys(ConversationEvent.getFields())
  const kinds = schema.getPossibleTypes(ConversationEvent).flatMap((kind) => {
    const own = selectionOf(kind).filter((field) => !common.includes(field))
    return own.length === 0 ? [] : wrap(`... on ${kind} { ${own.join(' ')} }`, '    ')
  })
  return [
    header,
    "import type { ContextArguments, StartMessageInput } from './types.ts'\n",
    constText('messageSelection', 'The fields of a `Message`.', selectionOf(Message).join(' ')),
    constText(
      'contextVariables',
      'The variables of `contextField`, as an operation declares them.',
      variables.join(', '),
    ),
    constText(
      'contextField',
      'A `ContextWindow`, as a field of a conversation.',
      `context(${given.join(', ')}) { ${selectionOf(ContextWindow).join(' ')} }`,
    ),
    '/** The fields of every kind of `ConversationEvent`. @param selected fields of `Message` */',
    'export function eventSelection(selected: string): string {',
    `  return \`\n    __typename ${common.join(' ')}\n${kinds.join('\n')}\``,
    '}\n',
    namesText('contextArguments', 'ContextArguments', Object.keys(args)),
    namesText('startFields', 'StartMessageInput', Object.keys(StartMessageInput.getFields())),
  ].join('\n')
}

/** The text of `client/src/message/tool-name.ts`: the server's own rule, because the client is a package of its own. */
export async function renderClientToolName(root: URL): Promise<string> {
  const rule = await readFile(new URL('src/window/rules/tool-name.ts', root), 'utf8')
  return `// \`npm run generate\` copies this file from src/window/rules/tool-name.ts. Do not edit it.\n\n${rule}`
}

interface Named {
  readonly [name: string]: unknown
  readonly Message: GraphQLObjectType
  readonly ContextWindow: GraphQLObjectType
  readonly ConversationEvent: GraphQLInterfaceType
  readonly StartMessageInput: GraphQLInputObjectType
}

const header = '// `npm run generate` writes this file from the schema. Do not edit it.\n'

function enumText(type: GraphQLEnumType): string {
  const values = type.getValues().map(({ name, description }) => `${docOf(description, '  ')}\n  | '${name}'`)
  return `${docOf(type.description, '')}\nexport type ${type} =\n${values.join('\n')}\n`
}

type InputFields = Readonly<Record<string, GraphQLInputField | GraphQLArgument>>

function inputText(name: string, description: string | null | undefined, inputs: InputFields): string {
  const fields = Object.values(inputs).map((field) => {
    const isRequired = isNonNullType(field.type) && field.defaultValue === undefined
    return fieldText(field, isRequired ? '' : '?', typeText(field.type))
  })
  return `${docOf(description, '')}\nexport interface ${name} {\n${fields.join('\n')}\n}\n`
}

function contextArguments(schema: GraphQLSchema): Record<string, GraphQLArgument> {
  const { context } = (schema.getType('Conversation') as GraphQLObjectType).getFields()
  return Object.fromEntries((context?.args ?? []).map((argument) => [argument.name, argument]))
}

function objectText(type: GraphQLObjectType): string {
  const typename = type.getInterfaces().some(isEvent) ? [`  readonly __typename: '${type}'`] : []
  const fields = fieldsOf(type).map((field) => {
    const isNeverNull = neverNull.includes(`${type}.${field.name}`)
    return fieldText(field, '', isNeverNull ? presentText(field.type, type) : typeText(field.type, type))
  })
  const body = [...typename, ...fields].join('\n')
  return `${docOf(type.description, '')}\nexport interface ${declared(type)} {\n${body}\n}\n`
}

function eventText(schema: GraphQLSchema, type: GraphQLInterfaceType): string {
  const kinds = schema.getPossibleTypes(type)
  const parameter = kinds.some(holdsMessage) ? '<Selected = Message>' : ''
  const start = `export type ${type}${parameter} =`
  const line = `${start} ${kinds.map(named).join(' | ')}`
  const text = line.length <= width ? line : [start, ...kinds.map((kind) => `  | ${named(kind)}`)].join('\n')
  return `${docOf(type.description, '')}\n${text}\n`
}

function fieldText(field: InputFields[string] | Field, mark: '' | '?', type: string): string {
  return `${docOf(field.description, '  ')}\n  readonly ${field.name}${mark}: ${type}`
}

type Field = ReturnType<GraphQLObjectType['getFields']>[string]

/** @param holder the type that has the field; absent: an input has it */
function typeText(type: GraphQLType, holder?: GraphQLObjectType): string {
  if (!isNonNullType(type)) {
    const inner = presentText(type, holder)
    return inner === 'unknown' ? inner : `${inner} | null`
  }
  return presentText(type.ofType, holder)
}

function presentText(type: GraphQLType, holder: GraphQLObjectType | undefined): string {
  if (isListType(type)) {
    const inner = typeText(type.ofType, holder)
    return `readonly ${inner.includes(' | ') ? `(${inner})` : inner}[]`
  }
  if (isScalarType(type)) return scalarText(type)
  if (!isObjectType(type)) return isEvent(type) ? `${type}<Selected>` : String(type)
  if (holder === undefined || !isReference(type, holder)) return named(type)
  return `Pick<${type}, ${reference.map((field) => `'${field}'`).join(' | ')}>`
}

function scalarText({ name }: GraphQLScalarType): string {
  const text = scalars[name]
  if (text === undefined) throw new Error(`Say in scripts/client-types.ts what the scalar ${name} is in TypeScript.`)
  return text
}

const scalars: Readonly<Record<string, string>> = {
  ID: 'string',
  String: 'string',
  DateTime: 'string',
  Int: 'number',
  Float: 'number',
  Boolean: 'boolean',
  JSON: 'unknown',
  JSONObject: 'Readonly<Record<string, unknown>>',
}

/** The user of a type that holds messages chooses which fields of them are selected. */
function declared(type: GraphQLObjectType): string {
  return holdsMessage(type) ? `${type}<Selected = Message>` : type.name
}

function named(type: GraphQLObjectType): string {
  if (type.name === 'Message') return 'Selected'
  return holdsMessage(type) ? `${type}<Selected>` : type.name
}

function holdsMessage(type: GraphQLType): boolean {
  if (!isObjectType(type) || isNode(type)) return false
  return fieldsOf(type).some((field) => {
    const inner = getNamedType(field.type)
    return inner.name === 'Message' || holdsMessage(inner) || isEvent(inner)
  })
}

/** The fields that each object type of the client has. */
function fieldsOf(type: GraphQLObjectType): Field[] {
  return Object.values(type.getFields()).filter(
    ({ name, args }) => args.length === 0 && !apart.includes(`${type}.${name}`),
  )
}

function selectionOf(type: GraphQLObjectType): string[] {
  return fieldsOf(type).map(({ name, type: wrapped }) => {
    const inner = getNamedType(wrapped)
    if (!isObjectType(inner)) return name
    if (isReference(inner, type)) return `${name} { ${reference.join(' ')} }`
    return `${name} { ${inner.name === 'Message' ? selected : selectionOf(inner).join(' ')} }`
  })
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: the text stands in a template of the file that is written.
const selected = '${selected}'

function isReference(type: GraphQLObjectType, holder: GraphQLObjectType): boolean {
  return isNode(type) && isNode(holder)
}

function isNode(type: GraphQLObjectType): boolean {
  return type.getInterfaces().some(({ name }) => name === 'Node')
}

function isEvent(type: GraphQLType): boolean {
  return isInterfaceType(type) && type.name !== 'Node'
}

function defaultOf({ defaultValue, type }: GraphQLArgument): string {
  const value = astFromValue(defaultValue, type)
  return value ? ` = ${print(value)}` : ''
}

function constText(name: string, description: string, text: string): string {
  return `${docOf(description, '')}\nexport const ${name} = \`\n${wrap(text, '  ').join('\n')}\`\n`
}

function namesText(name: string, type: string, names: readonly string[]): string {
  const lines = names.map((one) => `  '${one}',`).join('\n')
  const typed = `as const satisfies readonly (keyof ${type})[]`
  return `/** The names of \`${type}\`. */\nexport const ${name} = [\n${lines}\n] ${typed}\n`
}

/** A comment whose lines are no longer than those of the code. */
function docOf(description: string | null | undefined, indent: string): string {
  const text = (description ?? '').replaceAll('*/', '* /')
  const line = `${indent}/** ${text} */`
  if (line.length <= width) return line
  return [`${indent}/**`, ...wrap(text, `${indent} * `), `${indent} */`].join('\n')
}

const width = 120

function wrap(text: string, indent: string): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(indent + word)
  }
  return lines
}
