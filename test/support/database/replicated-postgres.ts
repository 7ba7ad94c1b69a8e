import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { type Cluster, commandAs, prepareCluster, superuser } from '../../../src/database/embedded/embedded-cluster.ts'
import { freePort } from '../network/listen.ts'

/** A PostgreSQL on a port of its own. */
export class Postgres implements AsyncDisposable {
  readonly url: string
  readonly #cluster: Cluster
  readonly #port: number
  #process: ChildProcess | null = null

  constructor(cluster: Cluster, port: number) {
    this.#cluster = cluster
    this.#port = port
    this.url = `postgresql://${superuser}@127.0.0.1:${port}/postgres`
  }

  async start(settings: Record<string, string>): Promise<void> {
    const { uid, binaries, data } = this.#cluster
    const all = { port: String(this.#port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
    const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const [command, args] = commandAs(uid, binaries.postgres, ['-D', data, '-c', 'fsync=off', ...options])
    this.#process = spawn(command, args, { stdio: 'ignore' })
    const client = await this.#connectWhenReady()
    await client.end()
  }

  /** Runs SQL and answers its rows. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  /** Ends it as a crash does: no transaction is finished. */
  async crash(): Promise<void> {
    if (this.#process === null) return
    const ended = once(this.#process, 'close')
    this.#process.kill('SIGQUIT')
    this.#process = null
    await ended
  }

  async #connectWhenReady(): Promise<Client> {
    for (;;) {
      const client = new Client({ connectionString: this.url })
      client.on('error', () => {})
      try {
        await client.connect()
        return client
      } catch (error) {
        if (this.#process?.exitCode !== null) throw error
        await delay(20)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crash()
  }
}

/** A primary, and a standby for which every commit of the primary waits. */
export class ReplicatedPostgres implements AsyncDisposable {
  private constructor(
    readonly primary: Postgres,
    readonly standby: Postgres,
    private readonly directory: string,
  ) {}

  static async start(): Promise<ReplicatedPostgres> {
    const directory = await mkdtemp(join(tmpdir(), 'replicated-'))
    const [first, second] = [join(directory, 'primary'), join(directory, 'standby')]
    const cluster = await prepareCluster(first, { fsync: 'off' })
    // While nothing runs, a copy is a backup.
    await cp(first, second, { recursive: true, preserveTimestamps: true })
    const copy = join(second, 'postgres')
    await writeFile(join(copy, 'standby.signal'), '')
    const [port, otherPort] = [await freePort(), await freePort()]
    const standby = new Postgres(await prepareCluster(second, { fsync: 'off' }), otherPort)
    const pair = new ReplicatedPostgres(new Postgres(cluster, port), standby, directory)
    await pair.primary.start({})
    const source = `host=127.0.0.1 port=${port} user=${superuser} application_name=standby`
    await pair.standby.start({ primary_conninfo: source })
    const isStreaming = `select from pg_stat_replication where state = 'streaming'`
    while ((await pair.primary.query(isStreaming)).length === 0) await delay(20)
    await pair.setStandby('standby')
    return pair
  }

  /** @param name of the standby for which commits wait; empty: they wait for none */
  async setStandby(name: string): Promise<void> {
    await this.primary.query(`alter system set synchronous_standby_names = '${name}'`)
    await this.primary.query('select pg_reload_conf()')
    while ((await this.primary.query('show synchronous_standby_names'))[0]?.synchronous_standby_names !== name) {
      await delay(20)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.primary[Symbol.asyncDispose](), this.standby[Symbol.asyncDispose]()])
    await rm(this.directory, { recursive: true, force: true })
  }
}
