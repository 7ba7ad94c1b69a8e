import type { Pool, PoolClient, QueryArrayConfig } from 'pg'
import { NobodyWaits } from '../../facts.ts'
import { cancel } from './cancel.ts'

/** Who waits for what is read. */
export interface Awaiting {
  /** Nobody waits any more, so that nothing more is read. */
  readonly isOver: boolean
  /** Aborted when it is over. It is made when it is first asked for. */
  readonly ended: AbortSignal
}

/** A statement, and who waits for it; undefined: it is read to its end. */
export interface Asked extends QueryArrayConfig<unknown[]> {
  readonly awaiting?: Awaiting | undefined
}

/** The SQLSTATE of a statement that was cancelled. */
const queryCanceled = '57014'

/**
 * Reads that hold a connection of the pool alone, and so may be cancelled: nothing else is met.
 *
 *     waiting for a connection ──▶ running ──▶ the connection is free
 *       └── nobody waits ──▶ over    └── nobody waits ──▶ cancelling ── through, and the statement ended ──▶ it is free
 *
 * A request to cancel meets whatever the session runs when the request comes. So the connection serves nobody until the
 * request is through, and leaves the pool if nobody knows whether it is.
 */
export class LoneReads {
  readonly #pool: Pool
  readonly #cancelMs: number

  /** @param cancelMs the longest time for a request to cancel */
  constructor(pool: Pool, cancelMs: number) {
    this.#pool = pool
    this.#cancelMs = cancelMs
  }

  /** @throws NobodyWaits */
  async query(asked: Asked): Promise<{ rows: unknown[][] }> {
    const { awaiting } = asked
    if (awaiting === undefined) return this.#pool.query(asked)
    if (awaiting.isOver) throw new NobodyWaits()
    const client = await this.#pool.connect()
    if (awaiting.isOver) {
      client.release()
      throw new NobodyWaits()
    }
    return this.#ask(client, asked, awaiting)
  }

  async #ask(client: PoolClient, asked: Asked, awaiting: Awaiting): Promise<{ rows: unknown[][] }> {
    let cancelling: Promise<boolean> | null = null
    let failure: Error | undefined
    const end = () => {
      cancelling = cancel(client, this.#cancelMs)
    }
    awaiting.ended.addEventListener('abort', end)
    client.on('error', ignore)
    try {
      return await client.query(asked)
    } catch (error) {
      failure = error as Error
      throw awaiting.isOver ? new NobodyWaits() : error
    } finally {
      awaiting.ended.removeEventListener('abort', end)
      if (cancelling === null) release(client, failure)
      else void releaseAfter(cancelling, client, failure)
    }
  }
}

/** The error of a lost connection fails its statement as well. */
function ignore(): void {}

/** As in pg's pool, a connection leaves the pool after an error. */
function release(client: PoolClient, failure: Error | undefined): void {
  client.off('error', ignore)
  client.release(failure)
}

async function releaseAfter(cancelling: Promise<boolean>, client: PoolClient, failure: Error | undefined) {
  const isThrough = await cancelling
  const isCancelled = failure === undefined || (failure as { code?: unknown }).code === queryCanceled
  release(client, isThrough && isCancelled ? undefined : (failure ?? new Error('A request to cancel may still come.')))
}
