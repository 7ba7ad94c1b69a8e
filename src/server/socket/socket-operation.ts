import type { Viewer } from '../../auth/viewer.ts'
import type { ResultStream } from '../operation/result-stream.ts'

/** One operation on a socket, from its `subscribe` message until it has really ended. */
export interface SocketOperation {
  /** The client's own; it may use it again once it has completed this one, also while this one is still ending. */
  readonly id: string
  readonly requestId: string
  readonly viewer: Viewer
  readonly name: string | null
  readonly isSubscription: boolean
  readonly startedAt: number
  /** Of a subscription that has begun. */
  results: ResultStream | null
  /** For the log: `ok`, or the code of the first error. */
  status: string
}

/** The operations of one socket. */
export class SocketOperations {
  /** Those that the client waits for. */
  readonly #byId = new Map<string, SocketOperation>()
  #size = 0
  #requests = 0

  /** How many there are, those included that nobody waits for any more. */
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

  /** Nobody waits for it any more: what it follows ends, and what it was asked to do goes on. */
  async complete(id: string): Promise<void> {
    const operation = this.#byId.get(id)
    this.#byId.delete(id)
    await operation?.results?.return()
  }

  async completeAll(): Promise<void> {
    await Promise.all([...this.#byId.keys()].map((id) => this.complete(id)))
  }

  /** It has ended by itself, or after nobody waited for it. */
  end(operation: SocketOperation): void {
    if (this.isAwaited(operation)) this.#byId.delete(operation.id)
    this.#size -= 1
    if (!operation.isSubscription) this.#requests -= 1
  }
}
