import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { prepareCluster } from '../../src/database/embedded/embedded-cluster.ts'
import { Postgres } from '../support/database/replicated-postgres.ts'
import { freePort } from '../support/network/listen.ts'
import { NatsServer } from '../support/network/nats.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import type { Random } from '../support/random.ts'
import { type Held, Probe } from './probe.ts'

export const poolSize = 8
const settings = { POOL_SIZE: String(poolSize), POLL_MS: '1000', PING_MS: '2000', LOG_LEVEL: 'error' }
/** The pool, two pipelines and the connection for hints. */
const mostConnections = poolSize + 3
/** How much more a server may hold after a fault: what it remembers of documents and connections, and what V8 keeps. */
const sparedMiB = 32

/** A server with what stands between it and PostgreSQL. */
export interface Seat {
  readonly toPostgres: TcpProxy
  readonly probe: Probe
  server: ServerProcess
}

/** What a server holds while nobody asks it anything. */
export interface Rest extends Held {
  /** Files and sockets, without its connections to PostgreSQL. */
  readonly handles: number
  readonly connections: number
}

/** Two servers on a PostgreSQL of their own that writes to the disk, with a proxy before everything that may be cut. */
export class House implements AsyncDisposable {
  readonly postgres: Postgres
  /** null: PostgreSQL carries the hints. */
  readonly nats: NatsServer | null
  readonly seats: readonly Seat[]
  /** Before the servers. */
  readonly front: TcpProxy
  readonly directory: string
  readonly #stack: AsyncDisposableStack
  readonly #ended: ServerProcess[] = []
  #rest: Rest | null = null

  private constructor(
    given: Pick<House, 'postgres' | 'nats' | 'seats' | 'front' | 'directory'>,
    stack: AsyncDisposableStack,
  ) {
    this.postgres = given.postgres
    this.nats = given.nats
    this.seats = given.seats
    this.front = given.front
    this.directory = given.directory
    this.#stack = stack
  }

  static async open(bus: 'PostgreSQL' | 'NATS', random: Random): Promise<House> {
    await using stack = new AsyncDisposableStack()
    const directory = await mkdtemp(join(tmpdir(), 'faults-'))
    stack.defer(() => rm(directory, { recursive: true, force: true }))
    const postgres = stack.use(new Postgres(await prepareCluster(join(directory, 'data'), {}), await freePort()))
    await startPostgres(postgres)
    const nats = bus === 'NATS' ? stack.use(await new NatsServer().start()) : null
    const seats: Seat[] = []
    for (const name of ['one', 'two']) {
      const toPostgres = stack.use(await TcpProxy.before(postgres))
      toPostgres.random = () => random.next()
      const probe = new Probe(join(directory, name))
      const seat = { toPostgres, probe, server: await startServer(postgres, nats, toPostgres, probe) }
      stack.defer(() => seat.server[Symbol.asyncDispose]())
      seats.push(seat)
    }
    const front = stack.use(await TcpProxy.before(...seats.map(({ server }) => server)))
    front.random = () => random.next()
    return new House({ postgres, nats, seats, front, directory }, stack.move())
  }

  /** Ends a server without a word, and puts another one in its place. */
  async replace(seat: Seat): Promise<void> {
    seat.server.program.kill('SIGKILL')
    await seat.server.program.exited
    this.#ended.push(seat.server)
    this.#aim(this.seats.filter((other) => other !== seat))
    seat.server = await startServer(this.postgres, this.nats, seat.toPostgres, seat.probe)
    this.#aim(this.seats)
  }

  /** PostgreSQL ends as with a power cut, and comes back. */
  async crashPostgres(): Promise<void> {
    await this.postgres.crash()
    await startPostgres(this.postgres)
  }

  /** Remembers what the servers hold now. Later rests are compared with it. */
  async remember(): Promise<Rest> {
    const rests = await Promise.all(this.seats.map(measure))
    this.#rest = {
      timers: Math.max(...rests.map(({ timers }) => timers)),
      heapMiB: Math.max(...rests.map(({ heapMiB }) => heapMiB)),
      handles: Math.max(...rests.map(({ handles }) => handles)),
      connections: Math.max(...rests.map(({ connections }) => connections)),
    }
    return this.#rest
  }

  /** Settles when every server holds what it held before, and throws what does not come back within the time. */
  async settle(withinMs = 60_000): Promise<Rest> {
    const before = this.#rest
    if (before === null) throw new Error('unreachable: the first rest was remembered')
    const end = performance.now() + withinMs
    for (;;) {
      const rests = await Promise.all(this.seats.map(measure))
      const [worst] = rests.toSorted((one, other) => other.heapMiB - one.heapMiB) as [Rest]
      const isBack = rests.every(
        ({ handles, connections, timers, heapMiB }) =>
          handles <= before.handles &&
          connections <= mostConnections &&
          // The pool has one for each connection that nobody uses.
          timers <= before.timers + poolSize &&
          heapMiB <= before.heapMiB + sparedMiB,
      )
      if (isBack && this.front.size === 0) return worst
      if (performance.now() > end) {
        throw new Error(
          `The servers do not come to rest: ${JSON.stringify({ before, rests, clients: this.front.size })}`,
        )
      }
      await pause(100)
    }
  }

  /** What servers wrote that they should not have: faults that nobody foresaw. */
  complaints(): string[] {
    const running = this.seats.map(({ server }) => server)
    const endedByThemselves = running.filter(({ program }) => program.process.exitCode !== null)
    const lines = [...this.#ended, ...running].flatMap(({ program }) =>
      [...program.stdout.split('\n').filter((line) => line.startsWith('{')), ...program.stderr.split('\n')].filter(
        (line) => line !== '',
      ),
    )
    return [...endedByThemselves.map(({ program }) => `ended with ${program.process.exitCode}`), ...lines]
  }

  #aim(seats: readonly Seat[]): void {
    this.front.aim(...seats.map(({ server }) => server))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

function startPostgres(postgres: Postgres): Promise<void> {
  return postgres.start({ fsync: 'on', max_connections: '60' })
}

function startServer(
  postgres: Postgres,
  nats: NatsServer | null,
  proxy: TcpProxy,
  probe: Probe,
): Promise<ServerProcess> {
  const url = new URL(postgres.url)
  url.port = new URL(proxy.url).port
  const hints: Record<string, string> = nats === null ? {} : { NATS_URL: nats.url }
  return ServerProcess.start(url.href, { ...settings, ...hints, ...probe.settings }).then((server) => {
    probe.watch(server)
    return server
  })
}

async function measure({ server, probe, toPostgres }: Seat): Promise<Rest> {
  const held = await probe.look()
  const connections = toPostgres.size
  return { ...held, handles: (await server.handles()) - connections, connections }
}
