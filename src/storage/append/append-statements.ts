import { reachable } from '../conversation/conversation-ref.ts'
import { conversationColumns, nextImport, nextUpdate } from '../conversation/conversation-row.ts'
import { appendColumns, createdColumn, type MessageColumn, parentColumn } from '../message/message-columns.ts'
import { arraysOf, castsOf, namesOf, parametersOf } from '../message/message-values.ts'
import type { Statement } from '../postgres/statement.ts'

/**
 * - `update`: the conversation exists, and each message continues the one before it. Nothing changes if the active leaf
 *   is another than the newest message, or if a person has taken the conversation over.
 * - `upsert`: the same, and a conversation that is missing is created. Only by its owner, who alone may create it.
 * - `branch`: the conversation exists. A message may continue any other, and the last one becomes the active leaf.
 * - `import`: the same, and each message brings its time. `mixed`: some do.
 */
export type AppendMode = 'update' | 'upsert' | 'branch' | 'import' | 'mixed'

type Count = 'one' | 'many'

/**
 * The two ways to store an append. `seq` is taken while the conversation's row is held, so seq order is commit order and
 * has no gaps.
 *
 * One PostgreSQL takes all of it as one statement. A database that spreads conversations over machines would first
 * bring the row that the statement changed to its coordinator, and then copy the messages to their machine: on Citus with
 * two workers, 7 ms of CPU. There, two statements in a transaction go to that machine as they are: 2.6 ms. They go over
 * the pool: pipelines took as much.
 */
interface AppendStatements {
  /** Takes the values of `move`, and then the messages. */
  readonly atOnce: Readonly<Record<Count, Statement<'key'>>>
  /**
   * Changes the conversation, and answers it if it did. `$1` to `$3` are those of `reachable`, `$4` is the number of
   * messages, `$5` the last seq that the caller asks for, or null, and `$6` the number of appends that these are. Each
   * append moves the revision by one. The values of the mode follow.
   */
  readonly move: Statement<'key'>
  /**
   * Takes the key, what `move` answered of the conversation, and the messages. One message is stored by its values: for
   * an `insert … select` Citus locks all shards and waits for any that is on its way to another machine.
   */
  readonly store: {
    /** `$2` is the seq and `$3` the time, as text. */
    readonly one: Statement<'key'>
    /** `$2` is the number of messages. */
    readonly many: Statement<'key'>
  }
}

interface Mode {
  /** What the mode writes beside the columns of every append. */
  readonly columns: readonly MessageColumn[]
  /** The number of its values. The first one is `$7`. */
  readonly values: number
  readonly move: string
}

const hasSeq = '($5::int is null or c.last_seq = $5)'
const conditions = `${reachable('c', 'writer')} and ${hasSeq}`
const counters = 'last_seq = c.last_seq + $4, revision = c.revision + $6'

/** The appended message becomes the newest, and the active path ends with it. `$7`: whether a message names a parent. */
const branched = `${counters}, active_leaf = null, is_branched = c.is_branched or $7::boolean`
/** `$8`: the latest time that a message brings. */
const imported = `${branched}, imported_at = ${nextImport('c')}`

const modes: Readonly<Record<AppendMode, Mode>> = {
  update: {
    columns: [],
    values: 0,
    move: update(`${counters}, updated_at = ${nextUpdate('c.updated_at')}`, plain('c')),
  },
  upsert: {
    columns: [],
    values: 2,
    move: `
      insert into conversation as c
        (key, epoch, user_id, id, last_seq, revision, changed_revision, created_at, updated_at)
      values ($1, $7, $2, $8, $4, 1, 1, now(), now())
      on conflict (key) do update set ${counters}, updated_at = ${nextUpdate('c.updated_at', 'excluded.updated_at')}
        where ${reachable('c', 'owner')} and ${hasSeq} and ${plain('c')}`,
  },
  branch: {
    columns: [parentColumn],
    values: 1,
    move: update(`${branched}, updated_at = ${nextUpdate('c.updated_at')}`),
  },
  import: {
    columns: [parentColumn, createdColumn],
    values: 2,
    move: update(`${imported}, updated_at = greatest(c.updated_at, $8::timestamptz)`),
  },
  mixed: {
    columns: [parentColumn, createdColumn],
    values: 2,
    move: update(`${imported}, updated_at = greatest(${nextUpdate('c.updated_at')}, $8::timestamptz)`),
  },
}

function update(assignments: string, condition = 'true'): string {
  return `
      update conversation c set ${assignments} where ${conditions} and ${condition}`
}

/** Where appends need no look at the conversation before: the newest message is the active leaf, and agents may write. */
export function plain(conversation: string): string {
  return `${conversation}.active_leaf is null and ${conversation}.taken_over_by is null`
}

export const appendStatements: Readonly<Record<AppendMode, AppendStatements>> = {
  update: statementsOf('update'),
  upsert: statementsOf('upsert'),
  branch: statementsOf('branch'),
  import: statementsOf('import'),
  mixed: statementsOf('mixed'),
}

function statementsOf(mode: AppendMode): AppendStatements {
  const { values, move, columns } = modes[mode]
  const written = [...appendColumns, ...columns]
  const atOnce = (count: Count): Statement<'key'> => ({
    name: `append-${mode}-${count}`,
    kind: 'key',
    text: `
      with input as (${inputOf(written, count, 7 + values)}),
      moved as (${move} returning c.*),
      stored as (${insertOf(written, 'moved', '$4')})
      select ${conversationColumns('moved')} from moved`,
  })
  const store = (count: Count, text: string): Statement<'key'> => ({
    name: `append-${mode}-store-${count}`,
    kind: 'key',
    text,
  })
  const many = `
      with input as (${inputOf(written, 'many', 3)})
      ${insertOf(written, 'conversation', '$2')}`
  return {
    atOnce: { one: atOnce('one'), many: atOnce('many') },
    move: { name: `append-${mode}-move`, kind: 'key', text: `${move} returning ${conversationColumns('c')}` },
    store: { one: store('one', storeValues(written)), many: store('many', many) },
  }
}

/** A parameter for each column if there is one message, an array for each column if there are many. */
function inputOf(columns: readonly MessageColumn[], count: Count, first: number): string {
  return count === 'one'
    ? `select 1 as n, ${parametersOf(columns, first)}`
    : `select n::int, ${castsOf(columns)}
       from unnest(${arraysOf(columns, first)}) with ordinality as input(${namesOf(columns)}, n)`
}

/** @param conversation where the conversation's row is, as it is after the append */
function insertOf(columns: readonly MessageColumn[], conversation: string, messages: string): string {
  const stored = storedOf(columns)
  const time = timeOf(columns, 'input.created_at', 'c.updated_at')
  return `
        ${insertInto(stored)}
        select c.key, c.last_seq - ${messages} + input.n, ${namesOf(stored, 'input')}, ${time}, ${time}
        from ${conversation} c cross join input where c.key = $1`
}

function storeValues(columns: readonly MessageColumn[]): string {
  const stored = storedOf(columns)
  const values = stored.map(({ type }, index) => `$${4 + index}::${type}`).join(', ')
  // The time that a message brings is the last value.
  const time = timeOf(columns, `$${3 + columns.length}`, '$3::timestamptz')
  return `
      ${insertInto(stored)}
      values ($1, $2, ${values}, ${time}, ${time})`
}

function storedOf(columns: readonly MessageColumn[]): readonly MessageColumn[] {
  return columns.filter((column) => column !== createdColumn)
}

/** @param brought the time that a message brings, if the mode writes it; @param moved that of the append */
function timeOf(columns: readonly MessageColumn[], brought: string, moved: string): string {
  return columns.includes(createdColumn) ? `coalesce(${brought}, ${moved})` : moved
}

function insertInto(stored: readonly MessageColumn[]): string {
  return `insert into message (conversation_key, seq, ${namesOf(stored)}, created_at, updated_at)`
}
