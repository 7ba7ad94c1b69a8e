import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { commandAs } from '../../../src/database/embedded/embedded-cluster.ts'
import { freePort } from '../network/listen.ts'

// Debian's package puts it where only root looks for programs.
const program = ['pgbouncer', '/usr/sbin/pgbouncer'].find((path) => spawnSync(path, ['--version']).error === undefined)

/** The version of the PgBouncer on this machine, as 1.21; null: there is none. Debian's package of that name has one. */
export const pgbouncerVersion = program === undefined ? null : versionOf(program)

/** A PgBouncer of the test's own before one database. */
export class PgBouncer implements AsyncDisposable {
  private constructor(
    readonly url: string,
    private readonly directory: string,
    private readonly process: ChildProcess,
  ) {}

  static async before(databaseUrl: string, mode: 'session' | 'transaction'): Promise<PgBouncer> {
    const { hostname, port, username, pathname } = new URL(databaseUrl)
    const directory = await mkdtemp(join(tmpdir(), 'pgbouncer-'))
    await chmod(directory, 0o755)
    const own = await freePort()
    const database = pathname.slice(1)
    await writeFile(join(directory, 'users.txt'), `"${username}" ""\n`)
    const config = `
      [databases]
      ${database} = host=${decodeURIComponent(hostname)} port=${port || 5432} dbname=${database}
      [pgbouncer]
      listen_addr = 127.0.0.1
      listen_port = ${own}
      unix_socket_dir =
      auth_type = trust
      auth_file = ${join(directory, 'users.txt')}
      admin_users = ${username}
      pool_mode = ${mode}
      default_pool_size = 40
      ${Number(pgbouncerVersion) >= 1.21 ? 'max_prepared_statements = 200' : ''}`
    await writeFile(join(directory, 'pgbouncer.ini'), config.replaceAll(/^ +/gm, ''))
    // It refuses to run as root, and must enter the folder of the embedded PostgreSQL's socket.
    const uid = process.getuid?.() === 0 ? 65534 : undefined
    const [command, args] = commandAs(uid, program as string, [join(directory, 'pgbouncer.ini')])
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let output = ''
    for await (const text of child.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += text
      if (output.includes('process up')) break
    }
    if (!output.includes('process up')) throw new Error(`pgbouncer did not start:\n${output}`)
    child.stderr.resume()
    return new PgBouncer(`postgresql://${username}@127.0.0.1:${own}${pathname}`, directory, child)
  }

  /** Lets it open new connections to PostgreSQL, which have the present settings of the role. */
  async reconnect(): Promise<void> {
    const console = new URL(this.url)
    console.pathname = '/pgbouncer'
    const client = new Client({ connectionString: console.href })
    await client.connect()
    await client.query('RECONNECT')
    await client.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.process, 'close')
    this.process.kill('SIGKILL')
    await ended
    await rm(this.directory, { recursive: true })
  }
}

function versionOf(path: string): string | null {
  return /PgBouncer (\d+\.\d+)/i.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? null
}
