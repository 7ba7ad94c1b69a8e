import type { Client } from 'pg'
import { StartupError } from '../errors.ts'

/**
 * The tables, with the column that says where a row lies. All rows of a conversation lie on one machine, and what is known
 * of a user on any. A table stands below those that it refers to.
 */
export const spreadTables = [
  { name: 'conversation', column: 'key' },
  { name: 'participant', column: 'conversation_key' },
  { name: 'read_marker', column: 'conversation_key' },
  { name: 'waiting', column: 'conversation_key' },
  { name: 'message', column: 'conversation_key' },
  { name: 'message_stream', column: 'conversation_key' },
  { name: 'message_chunk', column: 'conversation_key' },
  { name: 'message_reaction', column: 'conversation_key' },
  { name: 'message_link', column: 'conversation_key' },
  { name: 'message_feedback', column: 'conversation_key' },
  { name: 'message_approval', column: 'conversation_key' },
  { name: 'message_token_count', column: 'conversation_key' },
  { name: 'message_words', column: 'conversation_key' },
  { name: 'conversation_words', column: 'conversation_key' },
  { name: 'person', column: 'user_id' },
] as const

type Table = (typeof spreadTables)[number]

/** What a table below `message` has as its foreign key. It has the name `…_message_foreign`. */
export const messageKey =
  'FOREIGN KEY (conversation_key, seq) REFERENCES message(conversation_key, seq) ON DELETE CASCADE'

/** Whether conversations are spread over machines, and if they could be and are not, a sentence that says how. */
export interface Spread {
  readonly spreads: boolean
  readonly advice: string | null
}

/** Spreads the tables over the workers of Citus. */
export type Distribute = (client: Client) => Promise<Spread>

/**
 * Spreads the tables that are empty. On one PostgreSQL, or while no worker is registered, it does nothing. Rows are not
 * moved: that takes long, and nobody can read or write meanwhile.
 *
 * @throws StartupError if only some of the tables are spread and rows have to be moved
 */
export const distributeEmpty: Distribute = async (client) => {
  if (!(await hasCitus(client))) return { spreads: false, advice: null }
  const states = await readStates(client)
  const isBegun = states.some(({ isSpread }) => isSpread)
  if (!isBegun && !(await hasWorkers(client))) return { spreads: false, advice: null }
  for (const { table } of states.filter((state) => nextStep([state]) !== null)) {
    if (!(await isFilled(client, table))) continue
    if (isBegun) {
      throw new StartupError(
        `The tables are spread over the workers of Citus only in part, and ${table.name} has rows; stop all servers, and run colloquy distribute: it goes on where it ended`,
      )
    }
    const advice =
      'Citus has workers, and all conversations are on this machine, for there were some before the workers; stop all servers and run colloquy distribute to spread them'
    return { spreads: false, advice }
  }
  return finish(client, async () => {})
}

/**
 * Spreads all tables, and moves their rows. It goes on where an earlier call ended, however that ended.
 *
 * @param tell is told of each step before it begins
 * @throws StartupError if there is nothing to spread over, or while servers run
 */
export async function distributeAll(client: Client, tell: (sentence: string) => void): Promise<Spread> {
  await requireWorkers(client)
  return finish(client, async (sentence) => {
    await requireNoServers(client)
    tell(sentence)
  })
}

/** What `distributeAll` would tell of its steps. It changes nothing. @throws StartupError if there is nothing to spread over */
export async function planDistribution(client: Client): Promise<readonly string[]> {
  await requireWorkers(client)
  let states = await readStates(client)
  const sentences: string[] = []
  for (let step = nextStep(states); step !== null; step = nextStep(states)) {
    const { table, leaves, sentence } = step
    sentences.push(sentence)
    // To spread a table leaves its rows where they were, besides.
    const old = leaves.isSpread ? { hasOldRows: await isFilled(client, table) } : {}
    states = states.map((state) => (state.table === table ? { ...state, ...leaves, ...old } : state))
  }
  return sentences
}

async function requireWorkers(client: Client): Promise<void> {
  if ((await hasCitus(client)) && (await hasWorkers(client))) return
  throw new StartupError(
    "The database has no workers of Citus; run CREATE EXTENSION citus in the database of this name on every machine, and SELECT citus_add_node('host', 5432) in this one for each worker",
  )
}

async function finish(client: Client, before: (sentence: string) => Promise<void>): Promise<Spread> {
  for (let step = nextStep(await readStates(client)); step !== null; step = nextStep(await readStates(client))) {
    await before(step.sentence)
    await client.query(step.sql)
  }
  return { spreads: true, advice: null }
}

interface State {
  readonly table: Table
  readonly isSpread: boolean
  /** It was spread, and its old rows still lie where they were. Nothing reads them. */
  readonly hasOldRows: boolean
  readonly hasKey: boolean
}

interface Step {
  readonly table: Table
  readonly sentence: string
  readonly sql: string
  /** What is otherwise after it. */
  readonly leaves: Partial<State>
}

/**
 * The first step that is still to be done. Each is one statement, and what it did is read from the catalog, so that the
 * work may end after any of them. A table with a foreign key cannot be spread before the key is dropped.
 */
function nextStep(states: readonly State[]): Step | null {
  const keyed = states.find(({ isSpread, hasKey }) => !isSpread && hasKey)
  if (keyed !== undefined) return step(keyed, 'dropping its foreign key', dropKey, { hasKey: false })
  const unspread = states.find(({ isSpread }) => !isSpread)
  if (unspread !== undefined) return step(unspread, 'moving its rows to the workers', spread, { isSpread: true })
  const doubled = states.find(({ hasOldRows }) => hasOldRows)
  if (doubled !== undefined)
    return step(doubled, 'removing the rows that were moved', removeOldRows, { hasOldRows: false })
  const keyless = states.find(({ table, hasKey }) => !hasKey && isBelowMessage(table))
  if (keyless !== undefined) return step(keyless, 'adding its foreign key', addKey, { hasKey: true })
  return null
}

function step({ table }: State, what: string, sql: (table: Table) => string, leaves: Partial<State>): Step {
  return { table, sentence: `${table.name}: ${what}`, sql: sql(table), leaves }
}

const isBelowMessage = ({ name }: Table) => name.startsWith('message_')
const keyOf = ({ name }: Table) => `${name}_message_foreign`
const dropKey = (table: Table) => `alter table ${table.name} drop constraint ${keyOf(table)}`
const addKey = (table: Table) => `alter table ${table.name} add constraint ${keyOf(table)} ${messageKey}`
const removeOldRows = ({ name }: Table) => `select truncate_local_data_after_distributing_table('${name}')`

/** Tables of other programs may be spread in the same way. Ours stay apart from them, and together. */
function spread({ name, column }: Table): string {
  const beside = column === 'conversation_key' ? 'conversation' : 'none'
  return `select create_distributed_table('${name}', '${column}', colocate_with => '${beside}')`
}

async function hasCitus(client: Client): Promise<boolean> {
  return (await client.query(`select from pg_extension where extname = 'citus'`)).rowCount !== 0
}

async function hasWorkers(client: Client): Promise<boolean> {
  const workers = `select from pg_dist_node where isactive and noderole = 'primary' and shouldhaveshards and groupid <> 0`
  return (await client.query(workers)).rowCount !== 0
}

async function readStates(client: Client): Promise<State[]> {
  const { rows } = await client.query<{ spread: boolean; old: boolean; key: boolean }>(
    `select p.logicalrelid is not null as spread,
       p.logicalrelid is not null and pg_relation_size(asked.name::regclass) > 0 as old,
       exists (
         select from pg_constraint c where c.conrelid = asked.name::regclass and c.conname = asked.name || '_message_foreign'
       ) as key
     from unnest($1::text[]) with ordinality asked(name, n)
     left join pg_dist_partition p on p.logicalrelid = asked.name::regclass and p.partmethod = 'h'
     order by asked.n`,
    [spreadTables.map(({ name }) => name)],
  )
  return spreadTables.map((table, n) => {
    const { spread: isSpread, old: hasOldRows, key: hasKey } = rows[n] as (typeof rows)[number]
    return { table, isSpread, hasOldRows, hasKey }
  })
}

async function isFilled(client: Client, { name }: Table): Promise<boolean> {
  return (await client.query(`select from ${name} limit 1`)).rowCount !== 0
}

/**
 * For work that servers must not see half done. A server that starts waits for the lock of migrations. One that was idle
 * for a while has no session of its pool, only those for reads and hints.
 *
 * @param client that has the lock
 * @throws StartupError
 */
export async function requireNoServers(client: Client): Promise<void> {
  const { rowCount } = await client.query(
    `select from pg_stat_activity a
     where a.datname = current_database() and a.pid <> pg_backend_pid()
       and a.application_name in ('colloquy', 'colloquy reads', 'colloquy hints')
       and not exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory' and not l.granted)`,
  )
  if (rowCount !== 0)
    throw new StartupError('Servers are connected to the database; stop all of them, and run it again')
}
