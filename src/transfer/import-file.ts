import { DatabaseError } from 'pg'
import { StartupError } from '../errors.ts'
import type { TransferClient } from './connect.ts'
import type { Counts, Header } from './lines.ts'
import { type Checked, type Line, readLines } from './read-file.ts'
import { type LineStore, lineStore } from './store-lines.ts'
import { readTables, type Tables } from './tables.ts'

export interface ImportOptions {
  /** The epoch that a conversation of the file gets. */
  readonly toEpoch: (key: string, epoch: number) => number
  /** Is told of each conversation that is left out, with its line: its key is there, with another epoch. */
  readonly onConflict: (sentence: string) => void
  /** Is told now and then how much of the file was done so far. */
  readonly onProgress?: (counts: Counts) => void
}

/** What an import did. */
export interface Imported {
  /** That it stored. */
  readonly conversations: number
  readonly messages: number
  /** Conversations that an earlier call had stored. */
  readonly there: number
  readonly conflicts: number
}

/** What one statement, and one transaction, has at most, unless it is one row, or one conversation. */
const statementBytes = 1024 * 1024
const statementLines = 1_000
const transactionBytes = 8 * 1024 * 1024
const transactionConversations = 200

/**
 * Stores the rows of a file that was checked. A conversation is stored whole or not at all, so a call that breaks off may
 * be repeated: it passes over what is there.
 *
 * @throws StartupError for what PostgreSQL does not take, with the numbers of its lines
 */
export async function importFile(client: TransferClient, path: string, options: ImportOptions): Promise<Imported> {
  const { onProgress = () => {} } = options
  const work = new Work(client, lineStore(client, await readTables(client)), path, options)
  // What is lost when the machine fails is stored by the next call. The end of the transfer waits for the disk.
  await client.query('set synchronous_commit = off')
  const seen = { conversations: 0, messages: 0 }
  for await (const line of readLines(path)) {
    await (line.kind === 'conversation' ? work.begin(line) : work.add(line))
    seen[line.kind === 'conversation' ? 'conversations' : 'messages'] += 1
    if ((seen.conversations + seen.messages) % 1_000 === 0) onProgress(seen)
  }
  await work.commit()
  onProgress(seen)
  return work.imported
}

/**
 * @param migrations the names of those that the database has
 * @throws StartupError for a file of a later version
 */
export function requireKnown(path: string, { header }: Checked, tables: Tables, migrations: readonly string[]): void {
  const unknown = unknownColumns(header, tables)
  if (migrations.includes(header.migration) && unknown.length === 0) return
  const what = unknown.length === 0 ? `was exported after ${header.migration}` : `has ${unknown.join(', ')}`
  throw new StartupError(
    `${path} is of a later version of Colloquy: it ${what}, which this version does not know; import it with that version`,
  )
}

function unknownColumns(header: Header, tables: Tables): string[] {
  return Object.entries(header.tables).flatMap(([table, names]) => {
    const known: readonly string[] = (tables[table as keyof Tables] ?? []).map(({ name }) => name)
    return names.filter((name) => !known.includes(name)).map((name) => `${table}.${name}`)
  })
}

/** Gathers lines into statements, and whole conversations into transactions. */
class Work {
  readonly #client: TransferClient
  readonly #store: LineStore
  readonly #path: string
  readonly #options: ImportOptions
  /** The key of the conversation whose lines come; null: they are passed over. */
  #key: string | null = null
  #lines: Line[] = []
  #lineBytes = 0
  /** What the open transaction has. */
  #open = { conversations: 0, messages: 0, bytes: 0, from: 0 }
  readonly imported = { conversations: 0, messages: 0, there: 0, conflicts: 0 }

  constructor(client: TransferClient, store: LineStore, path: string, options: ImportOptions) {
    this.#client = client
    this.#store = store
    this.#path = path
    this.#options = options
  }

  async begin(line: Line): Promise<void> {
    await this.#flush()
    const { conversations, bytes } = this.#open
    // On Citus, a transaction of several conversations would be one of several machines.
    if (bytes > transactionBytes || conversations >= (this.#client.hasCitus ? 1 : transactionConversations))
      await this.commit()
    const { key, epoch, user_id: user, id } = readConversation(line)
    const wanted = this.#options.toEpoch(key, epoch)
    if (await this.#run(line, () => this.#insert(line, key, wanted))) {
      this.#key = key
      return
    }
    this.#key = null
    if ((await this.#store.readEpoch(key)) === wanted) {
      this.imported.there += 1
      return
    }
    this.imported.conflicts += 1
    this.#options.onConflict(
      `${this.#path}: line ${line.number}: the conversation ${JSON.stringify(id)} of ${JSON.stringify(user)} is there already, and is another one; it stays as it is`,
    )
  }

  async add(line: Line): Promise<void> {
    if (this.#key === null) return
    this.#lines.push(line)
    this.#lineBytes += line.bytes.length
    if (this.#lineBytes > statementBytes || this.#lines.length >= statementLines) await this.#flush()
  }

  async commit(): Promise<void> {
    await this.#flush()
    if (this.#open.from === 0) return
    await this.#client.query('commit')
    this.imported.conversations += this.#open.conversations
    this.imported.messages += this.#open.messages
    this.#open = { conversations: 0, messages: 0, bytes: 0, from: 0 }
  }

  async #insert(line: Line, key: string, epoch: number): Promise<boolean> {
    if (this.#open.from === 0) {
      await this.#client.query('begin')
      this.#open.from = line.number
    }
    const isStored = await this.#store.storeConversation(key, line.bytes, epoch)
    if (isStored) {
      this.#open.conversations += 1
      this.#open.bytes += line.bytes.length
    }
    return isStored
  }

  async #flush(): Promise<void> {
    const lines = this.#lines
    const [first] = lines
    const key = this.#key
    if (first === undefined || key === null) return
    const hasMore = lines.some((line) => line.hasMore)
    const bytes = lines.map((line) => line.bytes)
    await this.#run(lines.at(-1) as Line, () => this.#store.storeMessages(key, bytes, hasMore), first)
    this.#open.messages += lines.length
    this.#open.bytes += this.#lineBytes
    this.#lines = []
    this.#lineBytes = 0
  }

  /** Says which lines PostgreSQL does not take. Nothing of the open transaction is stored then. */
  async #run<T>(last: Line, work: () => Promise<T>, first = last): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof DatabaseError) || !isOfRows(error)) throw error
      const lines = first === last ? `line ${last.number}` : `one of the lines ${first.number} to ${last.number}`
      throw new StartupError(`${this.#path}: ${lines} cannot be stored: ${error.message}`)
    }
  }
}

/** Whether PostgreSQL refuses what it was given. Citus copies rows to its workers, and passes on their sentence without its code. */
function isOfRows({ code = '', routine }: DatabaseError): boolean {
  return /^2[23]/.test(code) || routine === 'ReportCopyError'
}

interface NamedConversation {
  readonly key: string
  readonly epoch: number
  readonly user_id: string
  readonly id: string
}

function readConversation(line: Line): NamedConversation {
  return (JSON.parse(line.bytes.toString()) as { conversation: NamedConversation }).conversation
}
