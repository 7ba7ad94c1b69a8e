import { Client } from 'pg'
import type { TestDatabase } from './database.ts'

/** A statement as it was sent. */
export interface SentStatement {
  readonly text: string
  /** Of a prepared statement. */
  readonly name: string | undefined
  readonly values: readonly unknown[]
  /** Its place in a transaction, 1 for the one after `begin`; 0: it is one by itself. */
  readonly place: number
}

/**
 * The statements that `work` sends to a database, `begin` and `commit` included. The listener's NOTIFY is left
 * out, what a new connection asks, the looks at what is to be purged, with which a server begins, and what fills the
 * words of messages meanwhile. Taken at the driver, which every connection of this process goes through.
 */
export async function recordStatements(database: TestDatabase, work: () => Promise<unknown>): Promise<SentStatement[]> {
  const { pathname } = new URL(database.url)
  const original = Client.prototype.query
  const sent: SentStatement[] = []
  const places = new WeakMap<Client, number>()
  /** The first statement of the transaction that a connection is in. */
  const begun = new WeakMap<Client, SentStatement>()
  const begunBy = new WeakMap<SentStatement, SentStatement>()
  const filling = new WeakSet<SentStatement>()
  // biome-ignore lint/suspicious/noExplicitAny: it passes on whatever the overloads of `query` take.
  Client.prototype.query = function (this: Client, ...args: any[]): any {
    const [config] = args
    const text = typeof config === 'string' ? config : String(config?.text)
    if (`/${this.database}` === pathname && !/pg_notify|pg_is_in_recovery/.test(text) && !/-old$/.test(config?.name)) {
      const place = places.get(this)
      const endsEarlier = place === undefined && /^(commit|rollback)\b/i.test(text)
      const values = config?.values ?? (Array.isArray(args[1]) ? args[1] : [])
      const statement = { text, name: config?.name, values, place: place ?? 0 }
      // Of a transaction that began before, all but the end may be left out already.
      if (!endsEarlier) sent.push(statement)
      if (/^begin\b/i.test(text)) begun.set(this, statement)
      const first = begun.get(this) ?? statement
      begunBy.set(statement, first)
      if (config?.name?.startsWith('words-')) filling.add(first)
      if (/^begin\b/i.test(text)) places.set(this, 1)
      else if (/^(commit|rollback)\b/i.test(text)) {
        places.delete(this)
        begun.delete(this)
      } else if (place !== undefined) places.set(this, place + 1)
    }
    // biome-ignore lint/suspicious/noExplicitAny: likewise.
    return (original as any).apply(this, args)
  }
  try {
    await work()
  } finally {
    Client.prototype.query = original
  }
  return sent.filter((statement) => !filling.has(begunBy.get(statement) as SentStatement))
}

/** How many there are, as \`recordStatements\` says. */
export async function countStatements(database: TestDatabase, work: () => Promise<unknown>): Promise<number> {
  return (await recordStatements(database, work)).length
}
