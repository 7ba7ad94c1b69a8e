import type { Message } from '../../entities/message.ts'

/** The properties of a message that are columns of its own row. */
export type MessageProperty = Exclude<keyof Message, 'id' | 'conversation' | 'nextChunk'>

export type SqlType = 'text' | 'int' | 'bigint' | 'boolean' | 'json' | 'jsonb' | 'timestamptz' | 'bytea'

/** Which writes may give a column a value. An append does so also when it replaces; the server has statements of its own. */
type Writer = 'append' | 'edit' | 'completion' | 'server'

/**
 * How the value that a caller gives is checked, beyond its GraphQL type: a `name` has 1 to 255 characters, a `text` is any
 * that PostgreSQL can hold, and `type` means that the GraphQL type says all.
 */
export type Check = 'name' | 'text' | 'parts' | 'toolCalls' | 'metadata' | 'type'

interface Facts<Writers extends readonly Writer[] = readonly Writer[]> {
  readonly type: SqlType
  /** Which reads bring it: `brief` ones as well, only those of `all` columns, or only statements that name it themselves. */
  readonly read: 'brief' | 'all' | 'apart'
  readonly writers: Writers
  /** What the deletion of its message does to it. */
  readonly deletion: 'clears' | 'keeps'
  readonly fork: 'copies' | 'drops'
  /** null: no caller gives it. */
  readonly check: Check | null
  /** Whether the payload hash covers it. */
  readonly hashed: boolean
}

const append = ['append'] as const
const appendOrCompletion = ['append', 'completion'] as const
const anyone = ['append', 'edit', 'completion'] as const

/** A column of which callers give the value. */
function given<const Writers extends readonly Writer[]>(
  facts: Omit<Facts<Writers>, 'fork' | 'hashed'> & Partial<Pick<Facts, 'hashed'>> & { readonly check: Check },
): Facts<Writers> & { readonly check: Check } {
  return { fork: 'copies', hashed: true, ...facts }
}

/** A column of which the server gives the value. */
function own<const Writers extends readonly Writer[]>(
  facts: Pick<Facts<Writers>, 'type' | 'read' | 'writers'> & Partial<Pick<Facts, 'deletion' | 'fork'>>,
): Facts<Writers> & { readonly check: null } {
  return { deletion: 'keeps', fork: 'copies', hashed: false, ...facts, check: null }
}

/**
 * Every column of a message, written down once: select lists, inserts, edits, completions, tombstones, forks, the checks of
 * an input and the payload hash come from here. A message's members have this order, so the brief columns come first: nearly
 * every reader asks for those, and the others make a row three times as wide, mostly of nulls.
 */
const table = {
  seq: own({ type: 'int', read: 'brief', writers: ['server'] }),
  role: given({ type: 'text', read: 'brief', writers: append, deletion: 'keeps', check: 'type' }),
  name: given({ type: 'text', read: 'brief', writers: append, deletion: 'clears', check: 'name' }),
  content: given({
    type: 'text',
    read: 'brief',
    writers: anyone,
    deletion: 'clears',
    check: 'text',
  }),
  clientId: given({ type: 'text', read: 'brief', writers: append, deletion: 'keeps', check: 'name' }),
  status: own({ type: 'text', read: 'brief', writers: ['append', 'completion', 'server'] }),
  createdAt: own({ type: 'timestamptz', read: 'brief', writers: ['server'] }),
  parts: given({
    type: 'json',
    read: 'all',
    writers: anyone,
    deletion: 'clears',
    check: 'parts',
  }),
  partsFormat: given({
    type: 'text',
    read: 'all',
    writers: anyone,
    deletion: 'clears',
    check: 'type',
  }),
  toolCalls: given({
    type: 'json',
    read: 'all',
    writers: anyone,
    deletion: 'clears',
    check: 'toolCalls',
  }),
  toolName: given({ type: 'text', read: 'all', writers: append, deletion: 'clears', check: 'name' }),
  toolCallId: given({ type: 'text', read: 'all', writers: append, deletion: 'keeps', check: 'name' }),
  toolError: given({ type: 'boolean', read: 'all', writers: append, deletion: 'clears', check: 'type' }),
  model: given({ type: 'text', read: 'all', writers: appendOrCompletion, deletion: 'keeps', check: 'name' }),
  finishReason: given({ type: 'text', read: 'all', writers: appendOrCompletion, deletion: 'keeps', check: 'name' }),
  usage: given({ type: 'json', read: 'all', writers: appendOrCompletion, deletion: 'clears', check: 'type' }),
  error: own({ type: 'json', read: 'all', writers: ['completion'], deletion: 'clears' }),
  metadata: given({
    type: 'jsonb',
    read: 'all',
    writers: anyone,
    deletion: 'clears',
    check: 'metadata',
  }),
  /** UTF-8 bytes: the server counts what callers give. */
  size: own({ type: 'int', read: 'all', writers: anyone, deletion: 'clears' }),
  sentAt: given({ type: 'timestamptz', read: 'all', writers: append, deletion: 'keeps', check: 'type' }),
  updatedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  editedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  deletedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  /** The copy of a fork has not changed yet. */
  revision: own({ type: 'bigint', read: 'all', writers: ['server'], fork: 'drops' }),
  stopRequestedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  /** An append that names a parent writes it, by a statement of its own. */
  parentSeq: own({ type: 'int', read: 'all', writers: ['server'] }),
  /** An edit keeps it: a client id stands for what its message was appended with. */
  payloadHash: own({ type: 'bytea', read: 'apart', writers: ['append'] }),
  completionHash: own({ type: 'bytea', read: 'apart', writers: ['completion'], fork: 'drops' }),
} satisfies Record<MessageProperty, Facts>

type Table = typeof table

/** The properties that a write may give a value. */
export type WrittenBy<W extends Writer> = {
  [P in MessageProperty]: W extends Table[P]['writers'][number] ? P : never
}[MessageProperty]

/** The properties that callers give. */
export type GivenProperty = {
  [P in MessageProperty]: Table[P]['check'] extends null ? never : P
}[MessageProperty]

export interface MessageColumn<Property extends MessageProperty = MessageProperty> extends Facts {
  readonly property: Property
  /** As PostgreSQL knows it: `toolCallId` is `tool_call_id`. */
  readonly name: string
}

/** In the order of the table. */
export const columns: readonly MessageColumn[] = Object.entries(table).map(([property, facts]) => ({
  ...(facts as Facts),
  property: property as MessageProperty,
  name: property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
}))

export const briefColumns = columns.filter(({ read }) => read === 'brief')

export const readColumns = columns.filter(({ read }) => read !== 'apart')

/** What an append writes of its message. */
export const appendColumns = columnsOf('append')

/** What an append that names a parent writes as well. */
export const parentColumn = columns.find(({ property }) => property === 'parentSeq') as MessageColumn<'parentSeq'>

/** What a completion writes: its message as a whole, and how that ended. */
export const completedColumns = columnsOf('append', 'completion')

export const givenColumns = columns.filter(({ check }) => check !== null) as readonly (MessageColumn<GivenProperty> & {
  readonly check: Check
})[]

export const clearedColumns = columns.filter(({ deletion }) => deletion === 'clears')

export const forkedColumns = columns.filter(({ fork }) => fork === 'copies')

function columnsOf<W extends Writer>(...some: W[]): readonly MessageColumn<WrittenBy<W>>[] {
  const isWritten = ({ writers }: MessageColumn) => some.some((writer) => writers.includes(writer))
  return columns.filter(isWritten) as MessageColumn<WrittenBy<W>>[]
}
