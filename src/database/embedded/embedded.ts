import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { StartupError } from '../../errors.ts'
import { findCluster, prepareCluster, superuser } from './embedded-cluster.ts'
import { database, own } from './embedded-lock.ts'
import { findPostmaster, type Postmaster, port, spawnPostmaster } from './embedded-postmaster.ts'

/** A PostgreSQL of this server's own. Disposing it stops PostgreSQL and waits until it is gone. */
export interface EmbeddedDatabase extends AsyncDisposable {
  /** `postgresql://` over a unix socket, for `pg` as well as for MikroORM's `clientUrl`; the database is `colloquy`. */
  readonly url: string
  /** The absolute folder that holds the cluster (`postgres/`) and its log (`postgres.log`). */
  readonly directory: string
}

export interface EmbeddedDatabaseOptions {
  /** The folder. If it is missing, it is made, private to this user. */
  readonly directory: string
  /** Called at most once, when PostgreSQL is gone or belongs to another server: then nothing can be served any more. */
  readonly onLost?: (error: Error) => void
  /** Settings of PostgreSQL that replace the defaults: tests pass `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Ends the start, and the PostgreSQL that the start began. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Starts PostgreSQL in a folder, or takes over the one that a killed server left running there.
 *
 * Whoever holds the advisory lock owns the postmaster, no matter who started it. If two servers start at once,
 * PostgreSQL's own locks leave one postmaster, and the advisory lock gives it one owner.
 *
 * @throws StartupError if the folder is in use, cannot be written or holds another PostgreSQL version; if there is no
 *   PostgreSQL for this platform; if PostgreSQL does not start
 */
export async function startEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const { signal } = options
  const cluster = await prepareCluster(options.directory, options.settings ?? {}, signal)
  const deadline = Date.now() + startLimit
  const raceDeadline = Date.now() + raceLimit
  for (;;) {
    signal?.throwIfAborted()
    const running = await findPostmaster(cluster)
    const postmaster = running ?? (await spawnPostmaster(cluster))
    const lock = await own(postmaster, cluster.directory, deadline, signal).catch(async (error: unknown) => {
      if (signal?.aborted && !running && !(error instanceof StartupError)) await postmaster.stop(stopLimit)
      throw error
    })
    if (lock instanceof Client) return new OwnedDatabase(cluster.directory, postmaster, lock, options.onLost)

    const reason = await postmaster.lastWords()
    const raced = running || lock === 'ended' || lostRace.test(reason)
    if (!raced) throw new StartupError(`PostgreSQL did not start: ${reason}`)
    if (Date.now() > raceDeadline) throw new StartupError(`PostgreSQL cannot use its folder: ${reason}`)
    await sleep(pollInterval)
  }
}

/** The URL of the PostgreSQL that runs in a folder, whoever started it; null: none does. It makes nothing. */
export async function findRunningDatabase(directory: string): Promise<string | null> {
  const place = await findCluster(directory)
  const postmaster = place === null ? undefined : await findPostmaster(place)
  return postmaster === undefined ? null : urlOf(postmaster)
}

/** Whether a server has made its database in this folder. */
export async function holdsDatabase(directory: string): Promise<boolean> {
  return (await findCluster(directory)) !== null
}

function urlOf({ socketDirectory }: Postmaster): string {
  return `postgresql://${superuser}@${encodeURIComponent(socketDirectory)}:${port}/${database}`
}

const pollInterval = 20
/** Milliseconds. After a crash PostgreSQL first replays its log, which may take long. */
const startLimit = 60_000
/**
 * Another postmaster was there, or was about to stop; or another server stopped this postmaster before we reached it.
 */
const lostRace = /lock file|shared memory block|Address already|shutdown request/
/** Milliseconds. How long another server's postmaster may take to start or to stop. */
const raceLimit = 15_000
/** Milliseconds that a fast shutdown may take, and then an immediate one. */
const stopLimit = 10_000

class OwnedDatabase implements EmbeddedDatabase {
  readonly url: string
  readonly #disposing = new AbortController()
  #lock: Client | undefined
  #relocking: Promise<void> | undefined

  constructor(
    readonly directory: string,
    private readonly postmaster: Postmaster,
    lock: Client,
    private readonly onLost: ((error: Error) => void) | undefined,
  ) {
    this.url = urlOf(postmaster)
    this.#hold(lock)
  }

  /**
   * The lock is held until the postmaster has taken the signal. If it were freed earlier, a server that starts now
   * could take over a PostgreSQL that is about to stop.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposing.signal.aborted) return
    this.#disposing.abort()
    await this.#relocking
    const lock = this.#lock
    // Without the lock the postmaster may be another server's, so it is left alone. If it has no owner, the next start
    // takes it over.
    if (lock || !(await this.postmaster.isRunning())) await this.postmaster.stop(stopLimit)
    await lock?.end().catch(() => undefined)
  }

  #hold(lock: Client): void {
    this.#lock = lock
    lock.once('end', () => {
      this.#lock = undefined
      if (!this.#disposing.signal.aborted) this.#relocking = this.#relock()
    })
  }

  /**
   * If one backend crashes, PostgreSQL ends every session and recovers. The server goes on, and takes the lock again.
   */
  async #relock(): Promise<void> {
    try {
      const deadline = Date.now() + startLimit
      const lock = await own(this.postmaster, this.directory, deadline, this.#disposing.signal)
      if (!(lock instanceof Client)) throw new Error(`PostgreSQL stopped: ${await this.postmaster.lastWords()}`)
      this.#hold(lock)
    } catch (error) {
      if (!this.#disposing.signal.aborted) this.onLost?.(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
