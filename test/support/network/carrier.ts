import { connect } from '@nats-io/transport-node'
import { type Client, Client as PgClient } from 'pg'
import { pino } from 'pino'
import type { Bus } from '../../../src/live/bus/bus.ts'
import { natsBus } from '../../../src/live/bus/nats-bus.ts'
import { postgresBus } from '../../../src/live/bus/postgres-bus.ts'
import { createDatabase, type TestDatabase } from '../database/database.ts'
import { withDatabase } from '../database/database-url.ts'
import { stopProcess } from '../program/stop-process.ts'
import { until } from '../until.ts'
import { NatsServer } from './nats.ts'

/** What a kind of bus runs over, and what may happen to it. */
export interface Carrier extends AsyncDisposable {
  /** What makes a server use it. */
  readonly settings: Record<string, string>
  /** @param patienceMs of `Bus` */
  open(patienceMs?: number): Bus
  /** Says each text of each key, as somebody who is no server of ours. */
  shout(keys: readonly string[], texts: readonly string[]): Promise<void>
  /** Every connection of a bus is gone; new ones are taken. */
  cut(): Promise<void>
  /** Every connection of a bus is gone, and no new one is taken until it is back. */
  takeAway(): Promise<void>
  bringBack(): Promise<void>
  /** The connections stand, and nobody answers. */
  freeze(): Promise<void>
  thaw(): Promise<void>
}

const silent = pino({ level: 'silent' })

/** LISTEN and NOTIFY of a database. Taken away, it refuses every new connection to it, those of pools included. */
export async function postgresCarrier(database: TestDatabase): Promise<Carrier> {
  const client = await database.connect()
  const name = new URL(database.url).pathname.slice(1)
  let frozen: number[] = []
  const cut = async () => {
    const pids = await connections(client)
    await client.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [pids])
    await until(async () => !(await connections(client)).some((pid) => pids.includes(pid)))
  }
  const allowConnections = async (isAllowed: boolean) => {
    const admin = new PgClient({ connectionString: withDatabase(database.url, 'postgres') })
    await admin.connect()
    await admin.query(`alter database ${name} allow_connections ${isAllowed}`)
    await admin.end()
  }
  return {
    settings: {},
    open: (patienceMs) => postgresBus(database.url, silent, patienceMs),
    shout: async (keys, texts) => {
      await client.query(
        "select count(pg_notify('colloquy ' || key, 'x ' || text)::text) from unnest($1::text[]) key, unnest($2::text[]) text",
        [keys, texts],
      )
    },
    cut,
    takeAway: async () => {
      await allowConnections(false)
      await cut()
    },
    bringBack: () => allowConnections(true),
    freeze: async () => {
      frozen = await connections(client)
      await Promise.all(frozen.map(stopProcess))
    },
    thaw: async () => {
      for (const pid of frozen) process.kill(pid, 'SIGCONT')
      frozen = []
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

async function connections(client: Client): Promise<number[]> {
  const { rows } = await client.query(
    "select pid from pg_stat_activity where datname = current_database() and application_name = 'colloquy hints'",
  )
  return rows.map(({ pid }) => pid)
}

/** A nats-server of its own. */
export async function natsCarrier(): Promise<Carrier> {
  const server = await new NatsServer().start()
  return {
    settings: { NATS_URL: server.url },
    open: (patienceMs) => natsBus([server.url], silent, patienceMs),
    shout: async (keys, texts) => {
      const connection = await connect({ servers: server.url.slice('nats://'.length) })
      for (const key of keys) for (const text of texts) connection.publish(`colloquy.${key}`, text)
      await connection.flush()
      await connection.close()
    },
    cut: async () => {
      await server.kill()
      await server.start()
    },
    takeAway: () => server.kill(),
    bringBack: async () => void (await server.start()),
    freeze: () => server.freeze(),
    thaw: async () => server.thaw(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export async function openCarrier(kind: 'PostgreSQL' | 'NATS'): Promise<{ database: TestDatabase; carrier: Carrier }> {
  const database = await createDatabase()
  return { database, carrier: kind === 'NATS' ? await natsCarrier() : await postgresCarrier(database) }
}
