import type { Message } from '../../entities/message/message.ts'

/** The properties of a message that are columns of its own row. */
export type MessageProperty = Exclude<keyof Message, 'id' | 'conversation' | 'nextChunk'>

export type SqlType = 'text' | 'int' | 'bigint' | 'boolean' | 'json' | 'jsonb' | 'timestamptz' | 'bytea'

/**
 * Which writes may give a column a value. `append` covers also an append that replaces a message; `import` does not: it
 * stands for the first append of a message that was created elsewhere. `server` stands for statements of the server's
 * own.
 */
type Writer = 'append' | 'import' | 'edit' | 'completion' | 'server'

/**
 * How the value that a caller gives is checked, beyond its GraphQL type. `name`: it has 1 to 255 characters. `text`:
 * PostgreSQL can hold it. `past`: a time that an import may bring. `type`: the GraphQL type is check enough.
 */
export type Check = 'name' | 'text' | 'parts' | 'toolCalls' | 'metadata' | 'past' | 'type'

interface Facts<Writers extends readonly Writer[] = readonly Writer[]> {
  readonly type: SqlType
  /**
   * `brief`: every read brings the column. `all`: only a read of all columns does. `apart`: only a statement that names
   * it does.
   */
  readonly read: 'brief' | 'all' | 'apart'
  readonly writers: Writers
  /** What the deletion of a message does to the column. */
  readonly deletion: 'clears' | 'keeps'
  readonly fork: 'copies' | 'drops'
  /** null: no caller gives the column. */
  readonly check: Check | null
  /** Whether the payload hash covers the column. */
  readonly hashed: boolean
}

const append = ['append'] as const
const importOrServer = ['import', 'server'] as const
const appendOrCompletion = ['append', 'completion'] as const
const anyone = ['append', 'edit', 'completion'] as const

/** A column whose value callers give. */
function given<const Writers extends readonly Writer[]>(
  facts: Omit<Facts<Writers>, 'fork' | 'hashed'> & Partial<Pick<Facts, 'hashed'>> & { readonly check: Check },
): Facts<Writers> & { readonly check: Check } {
  return { fork: 'copies', hashed: true, ...facts }
}

/** A column whose value the server gives. */
function own<const Writers extends readonly Writer[]>(
  facts: Pick<Facts<Writers>, 'type' | 'read' | 'writers'> & Partial<Pick<Facts, 'deletion' | 'fork'>>,
): Facts<Writers> & { readonly check: null } {
  return { deletion: 'keeps', fork: 'copies', hashed: false, ...facts, check: null }
}

/**
 * Every column of a message, written down once. From this table come the select lists, inserts, edits, completions,
 * tombstones, forks, the checks of an input and the payload hash. A message's members have the order of this table. The
 * brief columns come first: nearly every reader asks for them. The other columns make a row three times as wide, mostly
 * with nulls.
 */
const table = {
  seq: own({ type: 'int', read: 'brief', writers: ['server'] }),
  role: given({ type: 'text', read: 'brief', writers: append, deletion: 'keeps', check: 'type' }),
  name: given({ type: 'text', read: 'brief', writers: append, deletion: 'clears', check: 'name' }),
  content: given({ type: 'text', read: 'brief', writers: anyone, deletion: 'clears', check: 'text' }),
  clientId: given({ type: 'text', read: 'brief', writers: append, deletion: 'keeps', check: 'name' }),
  status: own({ type: 'text', read: 'brief', writers: ['append', 'completion', 'server'] }),
  createdAt: given({ type: 'timestamptz', read: 'brief', writers: importOrServer, deletion: 'keeps', check: 'past' }),
  parts: given({ type: 'json', read: 'all', writers: anyone, deletion: 'clears', check: 'parts' }),
  partsFormat: given({ type: 'text', read: 'all', writers: anyone, deletion: 'clears', check: 'type' }),
  toolCalls: given({ type: 'json', read: 'all', writers: anyone, deletion: 'clears', check: 'toolCalls' }),
  toolName: given({ type: 'text', read: 'all', writers: append, deletion: 'clears', check: 'name' }),
  toolCallId: given({ type: 'text', read: 'all', writers: append, deletion: 'keeps', check: 'name' }),
  toolError: given({ type: 'boolean', read: 'all', writers: append, deletion: 'clears', check: 'type' }),
  model: given({ type: 'text', read: 'all', writers: appendOrCompletion, deletion: 'keeps', check: 'name' }),
  finishReason: given({ type: 'text', read: 'all', writers: appendOrCompletion, deletion: 'keeps', check: 'name' }),
  usage: given({ type: 'json', read: 'all', writers: appendOrCompletion, deletion: 'clears', check: 'type' }),
  error: own({ type: 'json', read: 'all', writers: ['completion'], deletion: 'clears' }),
  metadata: given({ type: 'jsonb', read: 'all', writers: anyone, deletion: 'clears', check: 'metadata' }),
  /** How many UTF-8 bytes callers gave. The server counts them. */
  size: own({ type: 'int', read: 'all', writers: anyone, deletion: 'clears' }),
  sentAt: given({ type: 'timestamptz', read: 'all', writers: append, deletion: 'keeps', check: 'type' }),
  updatedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  editedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  deletedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  /** A fork drops the revision: the copied message has not changed yet. */
  revision: own({ type: 'bigint', read: 'all', writers: ['server'], fork: 'drops' }),
  stopRequestedAt: own({ type: 'timestamptz', read: 'all', writers: ['server'] }),
  /** Only an append that names a parent writes this column, with a statement of its own. */
  parentSeq: own({ type: 'int', read: 'all', writers: ['server'] }),
  /** Who wrote the message, from the identity of the caller; null: the owner of the conversation. */
  authorId: own({ type: 'text', read: 'all', writers: ['append'] }),
  authorKind: own({ type: 'text', read: 'all', writers: ['append'] }),
  authorName: own({ type: 'text', read: 'all', writers: ['append'] }),
  /** An edit keeps the hash: a client id stands for the payload with which its message was appended. */
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
  /** The name in PostgreSQL: `tool_call_id` for `toolCallId`. */
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

/** The columns that an append writes. */
export const appendColumns = columnsOf('append')

/** The column that an append writes as well if it names a parent. */
export const parentColumn = columns.find(({ property }) => property === 'parentSeq') as MessageColumn<'parentSeq'>

/** The column that an append of an import writes as well. */
export const createdColumn = columns.find(({ property }) => property === 'createdAt') as MessageColumn<'createdAt'>

/** The columns that a completion writes: those of the whole message, and those that say how it ended. */
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
