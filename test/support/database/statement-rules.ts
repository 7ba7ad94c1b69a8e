import { parseSync } from 'libpg-query'
import type { Statement } from '../../../src/storage/postgres/statement.ts'

/** A node of the tree that PostgreSQL's own parser makes. */
// biome-ignore lint/suspicious/noExplicitAny: the tree has two hundred kinds of nodes, and what is looked for is few.
type Node = any

/** The worst volatility of the functions of a name and a number of arguments: i, s or v. */
export type Volatility = (name: string, args: number) => string

const keyOf: Readonly<Record<string, string>> = {
  conversation: 'key',
  participant: 'conversation_key',
  person: 'user_id',
  read_marker: 'conversation_key',
  waiting: 'conversation_key',
  message: 'conversation_key',
  message_stream: 'conversation_key',
  message_chunk: 'conversation_key',
  message_reaction: 'conversation_key',
  message_link: 'conversation_key',
  message_feedback: 'conversation_key',
  message_approval: 'conversation_key',
  message_token_count: 'conversation_key',
  message_words: 'conversation_key',
  conversation_words: 'conversation_key',
}
const isKeyName = (name: unknown) => name === 'key' || name === 'conversation_key'

/** What of a statement an engine that spreads conversations would refuse, or run on every machine. */
export function findFaults({ kind, text }: Statement, volatility: Volatility): string[] {
  if (kind === undefined) return ['it has no kind']
  if (kind === 'gathered') return []
  const [statement] = (parseSync(text) as Node).stmts.map(({ stmt }: Node) => stmt)
  const faults: string[] = []
  for (const { FuncCall: call } of nodes(statement)) {
    if (call === undefined) continue
    if (nameOf(call) === 'unnest' && JSON.stringify(call.args).includes('"uuid"')) faults.push('it unnests keys')
    if (volatilityOf(call, volatility) === 'v') faults.push(`${nameOf(call)}() is volatile`)
  }
  for (const { InsertStmt: insert } of nodes(statement)) {
    if (JSON.stringify(insert?.onConflictClause ?? null).includes('"SubLink"')) faults.push('a conflict asks a table')
  }
  if (kind === 'maintenance' && statement.SelectStmt === undefined) faults.push('it changes rows of many conversations')
  if (kind === 'key' || kind === 'user') faults.push(...findUnbound(statement, kind === 'key', new Set()))
  for (const set of changesOf(statement)) faults.push(...findMoving(set.values, set.isOnConflict, volatility))
  return [...new Set(faults)]
}

/** Tables that are not asked by the key: by `$1`, or by that of a table beside them. */
function findUnbound(node: Node, isOneKey: boolean, outer: ReadonlySet<string>): string[] {
  const query = node.SelectStmt ?? node.UpdateStmt ?? node.DeleteStmt ?? node.InsertStmt
  if (query === undefined) return children(node).flatMap((child) => findUnbound(child, isOneKey, outer))
  const from = [...(query.fromClause ?? []), ...(query.usingClause ?? [])]
  const relation = query.relation === undefined ? [] : [{ RangeVar: query.relation }]
  const places = [...from, ...(node.InsertStmt ? [] : relation)].flatMap(placesIn)
  const conditions = [query.whereClause, ...from.flatMap(qualsIn)].flatMap(conjuncts)
  // Whatever a scope is given from elsewhere by the name of a key is the key.
  const bound = new Set<string>([...outer, ...places.filter(({ table }) => table === null).map(({ alias }) => alias)])
  const tables = places.filter(({ table }) => table !== null) as { alias: string; table: string }[]
  if (!isOneKey && tables[0] !== undefined && outer.size === 0) bound.add(tables[0].alias)
  for (let before = -1; before !== bound.size; ) {
    before = bound.size
    for (const { alias, table } of tables) {
      if (conditions.some((condition) => ties(condition, alias, keyOf[table] as string, bound))) bound.add(alias)
      if (!isOneKey && conditions.some((condition) => isOfUser(condition, alias))) bound.add(alias)
    }
    for (const { left, right, names } of from.flatMap(usingsIn)) {
      if (!names.some(isKeyName)) continue
      if ([...left, ...right].some((alias) => bound.has(alias)))
        for (const alias of [...left, ...right]) bound.add(alias)
    }
  }
  const faults = tables.filter(({ alias }) => !bound.has(alias)).map(({ table }) => `${table} is not asked by the key`)
  if (node.InsertStmt) faults.push(...findForeignRows(query))
  const inner = children(query).flatMap((child) => findUnbound(child, isOneKey, bound))
  return [...faults, ...inner]
}

/** A condition `alias.column = $1`, or one that compares it with the key of a table that is bound. */
function ties(condition: Node, alias: string, column: string, bound: ReadonlySet<string>): boolean {
  const equality = condition?.A_Expr
  if (equality?.kind !== 'AEXPR_OP' || equality.name[0].String.sval !== '=') return false
  const sides = [bare(equality.lexpr), bare(equality.rexpr)]
  return [sides, sides.toReversed()].some(([one, other]) => {
    const own = columnOf(one)
    if (own === null || own.at(-1) !== column || (own.length > 1 && own[0] !== alias)) return false
    if (other?.ParamRef?.number === 1) return true
    const others = columnOf(other)
    return others !== null && others.length > 1 && bound.has(others[0] as string) && isKeyName(others.at(-1))
  })
}

/** A condition `alias.user_id = $1`: the conversations of one user, wherever the statement asks for them. */
function isOfUser(condition: Node, alias: string): boolean {
  const equality = condition?.A_Expr
  if (equality?.kind !== 'AEXPR_OP' || equality.name[0].String.sval !== '=') return false
  const own = columnOf(bare(equality.lexpr))
  return own?.[0] === alias && own[1] === 'user_id' && bare(equality.rexpr)?.ParamRef?.number === 1
}

/** Rows that are inserted have the key `$1`, or that of the rows from which they are made. */
function findForeignRows({ relation, cols, selectStmt }: Node): string[] {
  const place = (cols ?? []).findIndex(({ ResTarget }: Node) => ResTarget.name === keyOf[relation.relname])
  const select = selectStmt?.SelectStmt
  const lists: Node[][] = select?.valuesLists?.map(({ List }: Node) => List.items) ?? [
    (select?.targetList ?? []).map(({ ResTarget }: Node) => ResTarget.val),
  ]
  return lists.flatMap((list) => {
    const value = bare(list[place])
    const isKey = value?.ParamRef?.number === 1 || isKeyName(columnOf(value)?.at(-1))
    return isKey ? [] : [`a row of ${relation.relname} is inserted with another key`]
  })
}

/** What is set, of updates and of inserts that meet a row. */
function changesOf(statement: Node): { values: Node[]; isOnConflict: boolean }[] {
  return nodes(statement).flatMap(({ UpdateStmt, InsertStmt }): { values: Node[]; isOnConflict: boolean }[] => {
    const onConflict = InsertStmt?.onConflictClause
    const values = (list: Node) => (list ?? []).map(({ ResTarget }: Node) => ResTarget.val)
    if (UpdateStmt) return [{ values: values(UpdateStmt.targetList), isOnConflict: false }]
    return onConflict
      ? [{ values: [...values(onConflict.targetList), onConflict.whereClause], isOnConflict: true }]
      : []
  })
}

/** Functions of a change that answer another value on another machine. */
function findMoving(values: Node[], isOnConflict: boolean, volatility: Volatility): string[] {
  return values.flatMap((value) =>
    nodes(value).flatMap(({ FuncCall: call, A_Expr: operation, SQLValueFunction: clock }) => {
      if (isOnConflict && clock !== undefined) return ['ON CONFLICT asks the clock']
      if (call !== undefined && volatilityOf(call, volatility) !== 'i') {
        if (isOnConflict) return [`${nameOf(call)}() in ON CONFLICT is not immutable`]
        if (nodes(call.args).some(({ ColumnRef }) => ColumnRef !== undefined))
          return [`${nameOf(call)}() of a column is not immutable`]
      }
      // A timestamptz and an interval make a value that depends on the session; a timestamp and an interval do not.
      const sides = operation === undefined ? [] : [operation.lexpr, operation.rexpr]
      const other = sides[sides.findIndex(isInterval) === 0 ? 1 : 0]
      if (!sides.some(isInterval) || bare(other)?.FuncCall?.funcname?.at(-1).String.sval === 'timezone') return []
      return nodes(other).some(({ ColumnRef }) => ColumnRef !== undefined)
        ? ['an interval is added to a timestamptz']
        : []
    }),
  )
}

function isInterval(node: Node): boolean {
  return node?.TypeCast?.typeName.names.at(-1).String.sval === 'interval'
}

function volatilityOf(call: Node, volatility: Volatility): string {
  return volatility(nameOf(call), call.args?.length ?? 0)
}

function nameOf({ funcname }: Node): string {
  return funcname.at(-1).String.sval
}

/** Tables, and what stands in their place with a name of its own, of one entry of FROM. */
function placesIn(item: Node): { alias: string; table: string | null }[] {
  const { RangeVar: variable, JoinExpr: join, RangeSubselect: select, RangeFunction: call } = item
  if (join) return [...placesIn(join.larg), ...placesIn(join.rarg)]
  if (variable) {
    const table = variable.relname in keyOf ? variable.relname : null
    return [{ alias: variable.alias?.aliasname ?? variable.relname, table }]
  }
  const alias = (select ?? call)?.alias?.aliasname
  return alias === undefined ? [] : [{ alias, table: null }]
}

function qualsIn({ JoinExpr: join }: Node): Node[] {
  return join ? [join.quals, ...qualsIn(join.larg), ...qualsIn(join.rarg)] : []
}

function usingsIn({ JoinExpr: join }: Node): { left: string[]; right: string[]; names: string[] }[] {
  if (!join) return []
  const aliases = (item: Node) => placesIn(item).map(({ alias }) => alias)
  const names = (join.usingClause ?? []).map(({ String: name }: Node) => name.sval)
  const own = { left: aliases(join.larg), right: aliases(join.rarg), names }
  return [own, ...usingsIn(join.larg), ...usingsIn(join.rarg)]
}

function conjuncts(node: Node): Node[] {
  if (node?.BoolExpr?.boolop === 'AND_EXPR') return node.BoolExpr.args.flatMap(conjuncts)
  return node === undefined ? [] : [node]
}

/** Without casts. */
function bare(node: Node): Node {
  return node?.TypeCast ? bare(node.TypeCast.arg) : node
}

function columnOf(node: Node): string[] | null {
  return node?.ColumnRef?.fields.map(({ String: name }: Node) => name?.sval ?? '*') ?? null
}

function children(node: Node): Node[] {
  if (Array.isArray(node)) return node
  return typeof node === 'object' && node !== null
    ? Object.values(node).filter((child) => typeof child === 'object')
    : []
}

/** A node and all below it. */
function nodes(node: Node): Node[] {
  if (node === undefined || node === null) return []
  return [node, ...children(node).flatMap(nodes)]
}
