import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import 'reflect-metadata'
import { Client } from 'pg'
import { readConfig } from '../src/config.ts'
import { startEmbeddedDatabase } from '../src/database/embedded/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { withDatabase } from '../test/support/database/database-url.ts'
import { type DataSet, seed } from './data.ts'
import { cpuOf } from './meter.ts'
import { root } from './program.ts'

/** The one PostgreSQL of a run: the embedded one, with the settings of production. Disposing it stops it. */
export class Database implements AsyncDisposable {
  private constructor(
    private readonly embedded: AsyncDisposable,
    private readonly url: string,
    private readonly pid: number,
  ) {}

  static async start(): Promise<Database> {
    const directory = join(root, 'bench/.data')
    // All servers of a case are up at the same time, and pgbench opens a connection for each of its clients.
    const embedded = await startEmbeddedDatabase({ directory, settings: { max_connections: '400' } })
    const [pid] = (await readFile(join(embedded.directory, 'postgres/postmaster.pid'), 'utf8')).split('\n')
    return new Database(embedded, embedded.url, Number(pid))
  }

  /** Microseconds of the processor that all of PostgreSQL has used so far. */
  get cpu(): number {
    return cpuOf(this.pid)
  }

  /** A fresh copy of the data set, as its URL. Making the original takes its time; it is kept for the runs to come. */
  async copy(name: string, data: DataSet): Promise<string> {
    const original = await this.original(data)
    await this.execute(`drop database if exists ${name} with (force)`)
    await this.execute(`create database ${name} template ${original} strategy file_copy`)
    return withDatabase(this.url, name)
  }

  /** The data set itself, for what is too large to be copied each time. */
  async shared(data: DataSet): Promise<string> {
    return withDatabase(this.url, await this.original(data))
  }

  private async original(data: DataSet): Promise<string> {
    const size = `seed_${data.conversations}_${data.long}`
    const name = `${size}_${await fingerprint(data)}`
    const found = await this.execute(`select from pg_database where datname = '${name}'`)
    if (found.length > 0) return name
    process.stderr.write(`Making ${data.conversations} conversations and ${data.long} messages in one more …\n`)
    await this.execute(`drop database if exists unfinished with (force)`)
    await this.execute('create database unfinished')
    const url = withDatabase(this.url, 'unfinished')
    await migrate(url, readConfig({}).pool)
    await using client = await connect(url)
    await seed(client, data)
    await client.end()
    for (const { datname } of await this.execute(`select datname from pg_database where datname like '${size}\\_%'`)) {
      await this.execute(`drop database ${datname} with (force)`)
    }
    await this.execute(`alter database unfinished rename to ${name}`)
    return name
  }

  private async execute(sql: string): Promise<Record<string, unknown>[]> {
    await using client = await connect(this.url)
    return (await client.query<Record<string, unknown>>(sql)).rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.embedded[Symbol.asyncDispose]()
  }
}

/** A connection that ends with its block. */
export async function connect(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** Of the data and of what makes it: another schema is another original. */
async function fingerprint(data: DataSet): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(data))
  const migrations = (await readdir(join(root, 'migrations'))).sort().map((file) => join(root, 'migrations', file))
  for (const file of [...migrations, join(root, 'bench/data.ts')]) hash.update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}
