import type { Viewer } from '../../auth/viewer.ts'
import type { ResultStream } from '../operation/result-stream.ts'

/** One operation on a socket, from its `subscribe` message until it has really ended. */
export interface SocketOperation {
  /**
   * The client's own id. A client may use it again once it has completed this operation, even while this one still
   * ends.
   */
  readonly id: string
  readonly requestId: string
  readonly viewer: Viewer
  readonly name: string | null
  readonly isSubscription: boolean
  readonly startedAt: number
  /** The results of a subscription that has begun. */
  results: ResultStream | null
  /** For the log: `ok`, or the code of the first error. */
  status: string
}

/** The operations of one socket. */
export class SocketOperations {
  /** The operations that the client waits for. */
  readonly #byId = new Map<string, SocketOperation>()
  #size = 0
  #requests = 0

  /** How many operations run, including those that the client waits for no longer. */
  get size(): number {
    return this.#size
  }

  /** Whether any of them is a query or a mutation, which ends by itself. */
  get hasRequests(): boolean {
    return this.#requests > 0
  }

  begin(operation: SocketOperation): void {
    this.#byId.set(operation.id, operation)
    this.#size += 1
    if (!operation.isSubscription) this.#requests += 1
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  isAwaited(operation: SocketOperation): boolean {
    return this.#byId.get(operation.id) === operation
  }

  /** The client waits for this operation no longer. A subscription ends; a query or a mutation runs on. */
  async complete(id: string): Promise<void> {
    const operation = this.#byId.get(id)
    this.#byId.delete(id)
    await operation?.results?.return()
  }

  async completeAll(): Promise<void> {
    await Promise.all([...this.#byId.keys()].map((id) => this.complete(id)))
  }

  /** The operation has ended, whether the client still waited for it or not. */
  end(operation: SocketOperation): void {
    if (this.isAwaited(operation)) this.#byId.delete(operation.id)
    this.#size -= 1
    if (!operation.isSubscription) this.#requests -= 1
  }
}
