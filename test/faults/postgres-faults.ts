import { execFileSync } from 'node:child_process'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import type { Postgres } from '../support/database/replicated-postgres.ts'
import type { Fault } from './fault.ts'
import { type House, poolSize } from './house.ts'

export const postgresFaults: readonly Fault[] = [
  {
    name: 'PostgreSQL is stopped at once, with all that is under way, and started',
    times: 3,
    timesInShort: 1,
    happen: (house) => house.crashPostgres(),
  },
  {
    name: 'sessions are ended with pg_terminate_backend, at random for 3 s',
    times: 1,
    timesInShort: 0,
    happen: async ({ postgres }, _load, random) => {
      await using admin = await connect(postgres)
      let ended = 0
      for (const end = performance.now() + 3_000; performance.now() < end; ) {
        const sessions = "select pid from pg_stat_activity where application_name like 'colloquy%'"
        const { rows } = await admin.query<{ pid: number }>(sessions)
        const pids = rows.map(({ pid }) => pid).filter(() => random.chance(0.1))
        await admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [pids])
        ended += pids.length
        await pause(random.below(200))
      }
      if (ended === 0) throw new Error('no session was ended')
    },
  },
  {
    name: 'the database takes no writes for 3 s',
    times: 1,
    timesInShort: 0,
    happen: async ({ postgres, seats }, load) => {
      await using admin = await connect(postgres)
      await using undone = new AsyncDisposableStack()
      await setReadOnly(admin, 'on')
      undone.defer(() => setReadOnly(admin, 'off'))
      await Promise.all([pause(1_000), load.missed()])
      for (const { server } of seats) {
        const health = await fetch(`${server.url}/readyz`)
        if (!(await health.text()).includes('takes no writes'))
          throw new Error('/readyz does not say that nobody can write')
      }
      await load.readWindow()
      await pause(2_000)
    },
  },
  {
    name: 'all connections of the pools wait for a table, for 30 s',
    times: 1,
    timesInShort: 0,
    happen: async ({ postgres, seats }, load) => {
      await using admin = await connect(postgres)
      await admin.query('begin; lock table message in access exclusive mode')
      const isOver = pause(30_000).then(() => true)
      const crowd = Array.from({ length: 4 * seats.length * poolSize }, async (_, person) => {
        for (let n = 0; !(await Promise.race([isOver, false])); n++) {
          await load.appendMany(`${load.ids.spoken[0]}, crowd ${person}`, [`${n} of ${person}`])
        }
      })
      await untilWaiting(postgres, seats.length * poolSize)
      await isOver
      await admin.query('commit')
      await Promise.all(crowd)
    },
  },
  {
    name: 'the row of one conversation is locked for 10 s, and the others go on',
    times: 1,
    timesInShort: 0,
    happen: async ({ postgres }, load) => {
      const [id, ...others] = load.ids.spoken
      await using admin = await connect(postgres)
      await admin.query('begin')
      const locked = await admin.query('select from conversation where id = $1 for update', [id])
      if (locked.rowCount !== 1) throw new Error('unreachable: the conversation is there')
      await Promise.all([pause(10_000), untilWaiting(postgres, 1), load.recovered(others)])
      await admin.query('commit')
    },
  },
  {
    name: 'the disk is full for 3 s',
    times: 1,
    timesInShort: 0,
    ...(process.platform === 'linux' && process.getuid?.() === 0
      ? {}
      : { missing: 'only root on Linux can give PostgreSQL a small disk of its own' }),
    happen: async (house, load) => {
      await using disk = await SmallDisk.mount(house)
      await disk.fill()
      // PostgreSQL still has room in pages that it took before. A text of this length is stored in its row.
      const append = (n: number) => {
        const contents = Array.from({ length: 20 }, (_, index) => `${n} ${index} of the full disk `.padEnd(1_900, 'x'))
        return load.appendMany(`${load.ids.spoken[0]}, disk`, contents)
      }
      for (let n = 0; await append(n); n++);
      await pause(3_000)
      await disk.empty()
    },
  },
]

async function connect({ url }: Postgres): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url })
  await client.connect()
  // It writes also where nobody else may.
  await client.query('set default_transaction_read_only = off')
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** Settles when so many sessions wait for a lock. */
async function untilWaiting(postgres: Postgres, count: number): Promise<void> {
  const waiting = "select from pg_stat_activity where wait_event_type = 'Lock'"
  while ((await postgres.query(waiting)).length < count) await pause(20)
}

async function setReadOnly(admin: Client, value: 'on' | 'off'): Promise<void> {
  await admin.query(`alter system set default_transaction_read_only = ${value}`)
  await admin.query('select pg_reload_conf()')
}

/** A disk of a few MiB that holds the messages, so that PostgreSQL itself goes on when it is full. */
class SmallDisk implements AsyncDisposable {
  private constructor(
    private readonly path: string,
    private readonly admin: Client & AsyncDisposable,
  ) {}

  static async mount({ directory, postgres }: House): Promise<SmallDisk> {
    const path = join(directory, 'disk')
    await mkdir(path)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', path])
    const data = join(path, 'data')
    await mkdir(data, { mode: 0o700 })
    await chown(data, nobody, nobody)
    const disk = new SmallDisk(path, await connect(postgres))
    await disk.admin.query(`create tablespace small location '${data}'`)
    await disk.#moveTo('small')
    return disk
  }

  /** Takes all the room that is left. */
  async fill(): Promise<void> {
    const all = Buffer.alloc(2 ** 20)
    for (let size = all.length; size >= 4_096; ) {
      await writeFile(join(this.path, 'filling'), all.subarray(0, size), { flag: 'a' }).catch(() => {
        size /= 2
      })
    }
  }

  async empty(): Promise<void> {
    await rm(join(this.path, 'filling'))
  }

  async #moveTo(tablespace: string): Promise<void> {
    await this.admin.query(`alter table message set tablespace ${tablespace}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#moveTo('pg_default')
    await this.admin.query('drop tablespace small')
    await this.admin[Symbol.asyncDispose]()
    execFileSync('umount', [this.path])
  }
}

/** As whom PostgreSQL runs when this process is root. */
const nobody = 65534
