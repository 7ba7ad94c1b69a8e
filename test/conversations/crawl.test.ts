import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql'
import type { Client } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSchema } from '../../src/graphql/schema.ts'
import * as identities from '../people/identities.ts'
import type { Api, Identity } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { recordStatements, type SentStatement } from '../support/database/statements.ts'
import { isLong } from '../support/long.ts'
import { send } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'

/*
 * Whatever the schema takes as a text is given every id and every cursor of somebody else's conversation, and then, in
 * the same place, one of the same form that there never was. Both answers have to be the same bytes. The documents are
 * made from the schema, so a new field or argument is asked here from its first day.
 */

// A sign of life in an event stream comes by the clock, and not by the answer.
// A look at how much a user has comes when it is time for one, and not for a document.
// In development everybody supports, so users have tokens.
const bed = useBed({ ...identities.identitySettings, PING_MS: '600000', QUOTA_STREAMS: 'off' })
const schema = createSchema()

/** Texts that name something, by what they name. */
type Names = Readonly<Record<string, string>>

/** Of ada's conversation, which waits for a person, of one that frank took over from her, and of one that waits no more. */
let foreign: Names
let moved: Names
let waited: Names

/** A text of the same form and length that names nothing: another key and another epoch. */
function invent(name: string): string {
  const [, prefix = '', packed = ''] = /^(cnv_|msg_)?([\w-]{30,})$/.exec(name) ?? []
  if (packed === '') return name.replace(/.$/, '~')
  const bytes = Buffer.from(packed, 'base64url')
  for (let at = 1; at < 23; at++) bytes[at] = (bytes[at] as number) ^ 0x5a
  return prefix + bytes.toString('base64url')
}

async function makeConversation(userId: string, id: string): Promise<Names> {
  const owner = as(userId)
  const { message, messageEdge, conversation } = await owner.append(id, {
    role: 'USER',
    content: 'for my eyes',
    clientId: `client of ${id}`,
  })
  const start = 'mutation ($id: ID!) { startMessage(input: { conversationId: $id }) { message { id } } }'
  const { startMessage } = await owner.get(start, { id })
  const bytes = Buffer.from(message.id.slice(4), 'base64url')
  return {
    id,
    key: `cnv_${bytes.subarray(1, 23).toString('base64url')}`,
    globalId: conversation.id,
    message: message.id,
    stream: startMessage.message.id,
    place: messageEdge.cursor,
    feed: conversation.cursor,
    clientId: `client of ${id}`,
    user: `usr_${userId}`,
  }
}

const viewers = ['ada', 'bob', 'rita', 'mel', 'otto', 'nora'] as const
/** Sam has joined the conversation that waits, and sue the one that waits no more. */
const supporters = ['sam', 'sue'] as const
type User = (typeof viewers | typeof supporters)[number]
const shown = new Map<string, Identity>()
const own = new Map<User, Names>()

const as = (userId: string) => bed.server.as(shown.get(userId))

const did = (userId: User, name: string, input: object) =>
  as(userId).get(
    `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { __typename } }`,
    { input },
  )

beforeAll(async () => {
  for (const userId of viewers) shown.set(userId, await identities.user(userId))
  for (const userId of supporters) shown.set(userId, await identities.user(userId, 'colloquy:support'))
  foreign = await makeConversation('ada', 'secret of ada')
  moved = { ...(await makeConversation('ada', 'moved to frank')), user: 'usr_frank' }
  waited = await makeConversation('ada', 'waited')
  const client = await bed.database.connect()
  await client.query("update conversation set user_id = 'frank' where id = 'moved to frank'")
  for (const [userId, role, historyFrom] of [
    ['rita', 'MEMBER'],
    ['mel', 'MEMBER'],
    ['otto', 'OBSERVER'],
    ['nora', 'MEMBER', 3],
  ])
    await did('ada', 'addParticipant', { conversationId: foreign.id, userId, role, historyFrom })
  await did('ada', 'removeParticipant', { conversationId: foreign.id, userId: 'rita' })
  for (const [userId, names] of [
    ['sam', foreign],
    ['sue', waited],
  ] as const) {
    await did('ada', 'waitForPerson', { conversationId: names.id })
    await did(userId, 'joinWaiting', { conversationId: names.key })
  }
  await did('ada', 'stopWaiting', { conversationId: waited.id })
  for (const userId of [...viewers, ...supporters]) own.set(userId, await makeConversation(userId, `own of ${userId}`))
})

/** A place for a text in an operation: what stands before it and behind it. */
interface Slot {
  readonly name: string
  readonly kind: 'query' | 'mutation' | 'subscription'
  readonly before: string
  readonly behind: string
}

/** Where fields of a type are asked: of what the viewer itself owns. */
function pathTo(type: GraphQLObjectType, mine: Names): readonly [before: string, behind: string] | null {
  if (type === schema.getQueryType() || type === schema.getMutationType() || type === schema.getSubscriptionType()) {
    return ['', '']
  }
  const conversation = `conversation(id: ${JSON.stringify(mine.id)})`
  if (type.name === 'Conversation') return [`${conversation} { `, ' }']
  if (type.name === 'Message') return [`${conversation} { message(seq: 1) { `, ' } }']
  return null
}

/** An operator may see what is of others, and in development everybody is one: test/server/operator.test.ts. */
const ofOperator = ['Operator', 'ConversationRecord']

/** Every place of the schema that takes a text, an id or a list of them, with what else is needed there. */
function slotsOf(mine: Names): { slots: Slot[]; unreached: string[] } {
  const slots: Slot[] = []
  const unreached: string[] = []
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__') || ofOperator.includes(type.name)) continue
    for (const field of Object.values(type.getFields())) {
      for (const place of field.args.flatMap((arg) => placesIn(arg.type, mine, field.args, arg))) {
        const path = pathTo(type, mine)
        const name = `${type.name}.${field.name} ${place.name}`
        if (path === null) unreached.push(name)
        else slots.push(slotAt(type, field, place, path, name))
      }
    }
  }
  return { slots, unreached }
}

function slotAt(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  place: Place,
  [before, behind]: readonly [string, string],
  name: string,
): Slot {
  const kind =
    type === schema.getMutationType() ? 'mutation' : type === schema.getSubscriptionType() ? 'subscription' : 'query'
  const selection = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }'
  return {
    name,
    kind,
    before: `${before}${field.name}(${place.before}`,
    behind: `${place.behind})${selection}${behind}`,
  }
}

interface Place {
  readonly name: string
  readonly before: string
  readonly behind: string
}

/** The places of texts in one argument, between the other arguments that the field needs. */
function placesIn(
  type: GraphQLInputType,
  mine: Names,
  args: readonly GraphQLArgument[],
  arg: GraphQLArgument,
): Place[] {
  const others = args.filter((other) => other !== arg && isRequiredArgument(other))
  const rest = others.map((other) => `, ${other.name}: ${literalOf(other.type, other.name, mine)}`).join('')
  return placesOf(type, arg.name, mine, 0).map(({ name, before, behind }) => {
    return { name, before: `${arg.name}: ${before}`, behind: `${behind}${rest}` }
  })
}

const texts = ['ID', 'String']
/** Inputs in inputs end here. */
const deepest = 4

function placesOf(type: GraphQLInputType, name: string, mine: Names, depth: number): Place[] {
  if (isNonNullType(type)) return placesOf(type.ofType, name, mine, depth)
  if (isListType(type)) {
    return placesOf(type.ofType, name, mine, depth).map((place) => {
      return { ...place, before: `[${place.before}`, behind: `${place.behind}]` }
    })
  }
  if (!isInputObjectType(type)) return texts.includes(type.name) ? [{ name, before: '', behind: '' }] : []
  if (depth === deepest) return []
  const fields = Object.values(type.getFields())
  return fields.flatMap((field) => {
    const others = fields.filter((other) => other !== field && isRequiredInputField(other))
    const rest = others.map((other) => `, ${other.name}: ${literalOf(other.type, other.name, mine)}`).join('')
    return placesOf(field.type, `${name}.${field.name}`, mine, depth + 1).map((place) => {
      return { ...place, before: `{ ${field.name}: ${place.before}`, behind: `${place.behind}${rest} }` }
    })
  })
}

/** A value that is taken, of what the viewer owns where it names something. */
function literalOf(type: GraphQLInputType, name: string, mine: Names): string {
  if (isNonNullType(type)) return literalOf(type.ofType, name, mine)
  if (isListType(type)) return `[${literalOf(type.ofType, name, mine)}]`
  if (isEnumType(type)) return String(type.getValues()[0]?.name)
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter(isRequiredInputField)
    return `{ ${needed.map((field) => `${field.name}: ${literalOf(field.type, field.name, mine)}`).join(', ')} }`
  }
  if (type.name === 'ID') return JSON.stringify(/message/i.test(name) ? mine.message : mine.id)
  if (type.name === 'Boolean') return 'false'
  if (type.name === 'Int') return name === 'maxTokens' ? '100000' : '1'
  if (type.name === 'DateTime') return '"2020-01-01T00:00:00Z"'
  return type.name === 'JSON' || type.name === 'JSONObject' ? '{}' : '"x"'
}

/** One operation with all these names in the slot, each under an alias; a query or a subscription for each of them. */
function documentsOf({ kind, before, behind }: Slot, names: readonly string[]): string[] {
  const fields = names.map((name) => `${before}${JSON.stringify(name)}${behind}`)
  // The fields of a query are answered side by side, and their errors come in the order of that.
  if (kind !== 'mutation') return fields.map((field) => `${kind} { ${field} }`)
  return [`${kind} { ${fields.map((field, at) => `a${at}: ${field}`).join(' ')} }`]
}

/** The answer's bytes on each way, with the names that were sent taken out of them. */
async function answersOf(userId: User, wire: Wire, kind: Slot['kind'], query: string, names: readonly string[]) {
  const viewer = as(userId)
  const answers: string[] = [JSON.stringify(await wire.ask(query))]
  // One way is enough: all of them are tried by others.
  if (['rita', 'nora', ...(isLong ? [] : ['sue'])].includes(userId))
    return answers.map((answer) => withoutNames(answer, names))
  const streamed = await send(viewer.url, { identity: viewer.identity, query })
  // How long to wait is drawn for each stream.
  answers.push(`${streamed.status} ${(await streamed.text()).replace(/^retry: \d+$/m, '')}`)
  if (kind !== 'subscription') {
    const posted = await viewer.post(JSON.stringify({ query }))
    answers.push(`${posted.status} ${await posted.text()}`)
  }
  return answers.map((answer) => withoutNames(answer, names))
}

function withoutNames(answer: string, names: readonly string[]): string {
  return names
    .toSorted((one, other) => other.length - one.length)
    .reduce((text, name) => text.replaceAll(name, '…'), answer)
}

/** What is looked for in what the viewer has: in titles, some of which the crawl has given, and in words. */
const isSought = (slot: string) => /^Query.(conversations filter.title|searchMessages query)$/.test(slot)

/** Every name; or those that say most, which is much faster. */
const namesOf = (names: Names, isWhole = true): string[] =>
  isWhole ? Object.values(names) : [names.key as string, names.message as string]

/** Whoever supports comes in by these. */
const comesIn = /^Mutation.(joinWaiting|takeOver) input.conversationId$/

const callers: [who: string, viewer: User, names: () => string[], isOwn: (slot: string) => boolean][] = [
  ['a stranger', 'bob', () => namesOf(foreign), isSought],
  ['one who was removed', 'rita', () => namesOf(foreign), isSought],
  // What comes before nora's first message.
  ['one who reads from a later message on', 'nora', () => [foreign.message, foreign.stream] as string[], isSought],
  [
    'one who supports',
    'sue',
    () => [foreign, waited].flatMap((names) => namesOf(names, isLong)),
    (slot) => isSought(slot) || comesIn.test(slot),
  ],
  // The key of the conversation is still the one that her id makes, so she cannot create another one of that id.
  [
    'a former owner',
    'ada',
    () => namesOf(moved),
    (slot) => isSought(slot) || /createConversation input.id|forkConversation input.newId/.test(slot),
  ],
]

/** A former owner is a stranger, too; isolation.test.ts has one in every run. */
const answered = callers.filter(([who]) => isLong || who !== 'a former owner')

describe.each(answered)('5 isolated: %s is answered as for what never existed', (_who, viewer, theirs, isOwn) => {
  test.each(['query', 'subscription', 'mutation'] as const)('in every argument of a %s, on every way', async (kind) => {
    await using wire = await Wire.open(bed.server.url, as(viewer).identity)
    const { slots } = slotsOf(own.get(viewer) as Names)
    const known = theirs()
    const invented = known.map(invent)
    for (const slot of slots.filter((one) => one.kind === kind && !isOwn(one.name))) {
      const missing = documentsOf(slot, invented)
      // A mutation may change what the viewer itself owns. The second time nothing is left to change.
      if (kind === 'mutation')
        for (const document of [...documentsOf(slot, known), ...missing]) await wire.ask(document)
      for (const [at, document] of documentsOf(slot, known).entries()) {
        const answer = await answersOf(viewer, wire, kind, document, known)
        expect(answer.join(), slot.name).not.toContain('GRAPHQL_VALIDATION_FAILED')
        expect(answer, slot.name).toEqual(await answersOf(viewer, wire, kind, missing[at] as string, invented))
      }
    }
  })
})

const explained = callers.filter(([, viewer]) => isLong && ['bob', 'ada'].includes(viewer))

describe.each(explained)(
  '5 isolated: PostgreSQL does the same for %s as for what never existed',
  (_who, viewer, theirs, isOwn) => {
    test.each(['query', 'mutation'] as const)('in every argument of a %s', async (kind) => {
      const api = as(viewer)
      const explaining = await bed.database.connect()
      // Whoever takes part is looked up by its key. These tables are so small that PostgreSQL would read all of them.
      await explaining.query('set enable_seqscan = off')
      const { slots } = slotsOf(own.get(viewer) as Names)
      const known = theirs()
      const invented = known.map(invent)
      let compared = 0
      for (const slot of slots.filter((one) => one.kind === kind && !isOwn(one.name))) {
        const missing = documentsOf(slot, invented)
        // What the viewer itself owns is changed, or its tokens are counted, the first time.
        for (const document of [...documentsOf(slot, known), ...missing]) await api.ask(document)
        for (const [at, document] of documentsOf(slot, known).entries()) {
          const [there, nowhere] = [await statementsOf(api, document), await statementsOf(api, missing[at] as string)]
          const texts = (sent: readonly SentStatement[]) => sent.map(({ text }) => text.replace(/'[^']*'/g, "'…'"))
          expect(texts(there), slot.name).toEqual(texts(nowhere))
          for (const [place, statement] of there.entries()) {
            // What is written is the viewer's own, and cannot be written twice.
            if (!/^\s*select\b/i.test(statement.text) && kind === 'mutation') continue
            const work = await workOf(explaining, statement)
            const least = await workOf(explaining, nowhere[place] as SentStatement)
            const about = `${slot.name}: ${statement.text}`
            expect(work.answered, about).toBe(least.answered)
            // A conversation is found by its key, and then its owner is seen to be another one.
            expect(work.seen - least.seen, about).toBeLessThanOrEqual(1)
            compared += 1
          }
        }
      }
      expect(compared).toBeGreaterThan(50)
    })
  },
)

/** Fields that depend on who asks: its role, and what is its own. */
const personal = /"(viewerRole|userId|id|conversationId|parentId)":"[^"]*",?/g

describe.each([
  ['a member', 'mel'],
  ['an observer', 'otto'],
  ['one who supports and joined', 'sam'],
] as const)('whoever takes part reads what the owner reads: %s', (_who, viewer) => {
  test('in every argument of a query', async () => {
    const api = as(viewer)
    const id = foreign.key as string
    let compared = 0
    for (const slot of slotsOf(own.get(viewer) as Names).slots) {
      // A list is everybody's own, and so is a cursor of it.
      if (slot.kind !== 'query' || !/conversationId|messageId| id$|ids$/.test(slot.name)) continue
      for (const name of [id, foreign.message, foreign.stream] as string[]) {
        const [document] = documentsOf(slot, [name]) as [string]
        const [owners, participants] = [await as('ada').ask(document), await api.ask(document)]
        const told = (answer: unknown) => JSON.stringify(answer).replace(personal, '')
        expect(told(participants), document).toBe(told(owners))
        if (!JSON.stringify(owners).includes('null') && owners.errors === undefined) compared += 1
      }
    }
    expect(compared).toBeGreaterThan(3)
    const everything = `query ($id: ID!) { conversation(id: $id) { title metadata lastSeq cursor createdAt updatedAt
      messages { nodes { id seq role content status author { userId kind name } siblings { index count ids } } pageInfo { endCursor } }
      history { content } lastMessage { content } activeLeaf { seq } context(maxTokens: 1000) { messages included }
      participants { nodes { userId role } } message(clientId: "client of secret of ada") { content } } }`
    expect(await api.get(everything, { id })).toEqual(await as('ada').get(everything, { id }))
  })
})

test('whoever supports and joined may do what an observer may', async () => {
  const names = namesOf(foreign, false)
  const answersTo = async (userId: User) => {
    const answers: string[] = []
    for (const slot of slotsOf(own.get(userId) as Names).slots) {
      if (slot.kind !== 'mutation' || !/(conversation|message)Id$/.test(slot.name)) continue
      if (comesIn.test(slot.name) || slot.name.startsWith('Mutation.leaveConversation')) continue
      const [document] = documentsOf(slot, names) as [string]
      answers.push(`${slot.name}: ${withoutNames(JSON.stringify(await as(userId).ask(document)), names)}`)
    }
    return answers
  }
  const answers = await answersTo('sam')
  expect(answers).toEqual(await answersTo('otto'))
  expect(answers.filter((answer) => answer.includes('FORBIDDEN')).length).toBeGreaterThan(10)
})

/** What asks or changes rows for an answer. Tokens that were counted are stored when the answer has gone. */
async function statementsOf(api: Api, document: string): Promise<SentStatement[]> {
  const sent = await recordStatements(bed.database, () => api.ask(document))
  const isAbout = ({ text }: SentStatement) => /^\s*(select|with|insert|update|delete)\b/i.test(text)
  return sent.filter((statement) => isAbout(statement) && !/insert into message_token_count/.test(statement.text))
}

interface Plan {
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Relation Name'?: string
  readonly Plans?: readonly Plan[]
  readonly [more: string]: unknown
}

/** How many rows a statement answers, and how many rows of tables it sees for that. What it changes is undone. */
async function workOf(client: Client, { text, values }: SentStatement): Promise<{ answered: number; seen: number }> {
  await client.query('begin')
  try {
    const explain = `explain (analyze, timing off, format json) ${text}`
    const { rows } = await client.query(explain, [...values])
    const plan: Plan = rows[0]['QUERY PLAN'][0].Plan
    return { answered: plan['Actual Rows'], seen: rowsSeen(plan) }
  } finally {
    await client.query('rollback')
  }
}

function rowsSeen(plan: Plan): number {
  const removed = Object.entries(plan).filter(([name]) => name.startsWith('Rows Removed by'))
  const each = removed.reduce((sum, [, rows]) => sum + Number(rows), plan['Actual Rows'])
  const own = plan['Relation Name'] === undefined ? 0 : each * plan['Actual Loops']
  return (plan.Plans ?? []).reduce((sum, below) => sum + rowsSeen(below), own)
}

test('5 isolated: every argument of the schema that takes a text is crawled', () => {
  const { slots, unreached } = slotsOf(foreign)
  // A type that is named here has fields with arguments, and this file does not know a way to it.
  expect(unreached).toEqual([])
  const roots = new Set(slots.map(({ name }) => name.split(' ')[0]))
  for (const field of ['Query.conversation', 'Query.nodes', 'Conversation.messages', 'Subscription.messageAppended']) {
    expect(roots).toContain(field)
  }
  expect(slots.length).toBeGreaterThan(60)
})
