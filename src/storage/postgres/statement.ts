import { types } from 'pg'
import type { Asked, Awaiting } from '../../database/reads/lone-reads.ts'
import { inStatementSpan, isRecorded } from '../../observe/spans.ts'

/**
 * What a statement is about. It decides where the statement runs: on an engine that spreads conversations over machines,
 * a statement of one key runs on one of them.
 *
 * - `key`: one conversation. `$1` is its key, and every table is asked by it.
 * - `user`: the conversations of one user, wherever they are. Tables are joined by the key only. Also what is known of users.
 * - `two keys`: it locks one conversation and reads or copies into another, in one transaction.
 * - `maintenance`: it finds conversations, whoever owns them. What is done to them goes key by key.
 * - `gathered`: many conversations of many callers at once. It runs on one PostgreSQL only.
 */
export type StatementKind = 'key' | 'user' | 'two keys' | 'maintenance' | 'gathered'

/** A prepared statement. Each connection keeps its plan under this name, so one name has one text. */
export interface Statement<Kind extends StatementKind = StatementKind> {
  readonly name: string
  readonly text: string
  readonly kind: Kind
}

/** One row as the driver gives it: strings, numbers for int2 and int4, booleans, buffers for bytea, null. */
export type Row = readonly unknown[]

/** What runs statements: the pool, a connection of it, or pipelines. */
export interface Runner {
  query(asked: Asked): Promise<{ rows: Row[] }>
}

/**
 * Runs a prepared statement and answers its rows as arrays. For pages of 50 rows, objects with column names cost twice
 * as much.
 *
 * @param awaiting who waits for the rows: a read of a connection alone ends when nobody does
 */
export function query(
  on: Runner,
  statement: Statement<Exclude<StatementKind, 'key'>>,
  values: unknown[],
  awaiting?: Awaiting,
): Promise<Row[]> {
  return run(on, statement, values, awaiting)
}

/** The same for a statement about one conversation. @param values from `$2` on */
export function queryKey(
  on: Runner,
  statement: Statement<'key'>,
  key: string,
  values: unknown[],
  awaiting?: Awaiting,
): Promise<Row[]> {
  return run(on, statement, [key, ...values], awaiting)
}

async function run(on: Runner, statement: Statement, values: unknown[], awaiting?: Awaiting): Promise<Row[]> {
  const { name, text } = statement
  const asked: Asked = { name, text, values, rowMode: 'array', types: textTypes, awaiting }
  const result = await (isRecorded() ? askInSpan(on, asked, statement) : on.query(asked))
  const { rows } = result
  // The driver assigns a function to a property for each query. V8 makes such a function old from birth, and from it
  // leads a way to the result: it would hold the rows until the next full garbage collection.
  result.rows = []
  return rows
}

function askInSpan(on: Runner, asked: Asked, { name, kind }: Statement): Promise<{ rows: Row[] }> {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.summary': name, 'colloquy.statement.kind': kind }
  return inStatementSpan(name, attributes, () => on.query(asked))
}

const parsers = new Map<number, (value: string) => unknown>([
  [16, (value) => value === 't'],
  [21, Number],
  [23, Number],
  // A role may have another bytea_output than hex.
  [17, types.getTypeParser(17)],
])

const asText = (value: string) => value

/** Timestamps, bigints and JSON stay text: the server sends most of them on without looking inside. */
const textTypes = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? asText,
}
