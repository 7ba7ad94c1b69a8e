import type { SubscribePayload } from 'graphql-ws'
import type { Viewer } from '../auth/viewer.ts'

/** One operation on a socket, from its `subscribe` message until it is complete. */
export interface SocketOperation {
  readonly payload: SubscribePayload
  readonly requestId: string
  readonly viewer: Viewer
  readonly name: string | null
  readonly isSubscription: boolean
  readonly startedAt: number
  /** For the log: `ok`, or the code of the first error. */
  status: string
  /** What its answer holds until it was sent. */
  budget: Disposable | null
}

/** The operations of one socket, by their numbers, until they have really ended: also those that nobody waits for. */
export class SocketOperations {
  readonly #byNumber = new Map<string, SocketOperation>()

  get size(): number {
    return this.#byNumber.size
  }

  /** Whether any of them is a query or a mutation, which ends by itself. */
  get hasRequests(): boolean {
    return [...this.#byNumber.values()].some((operation) => !operation.isSubscription)
  }

  begin(number: string, operation: SocketOperation): void {
    this.#byNumber.set(number, operation)
  }

  /** The operation that has ended; null when it never began. */
  end(number: string): SocketOperation | null {
    const operation = this.#byNumber.get(number) ?? null
    this.#byNumber.delete(number)
    return operation
  }
}
