import type { SubscribePayload } from 'graphql-ws'
import type { Viewer } from '../auth/viewer.ts'

/** One operation on a socket, from its `subscribe` message until it is complete. */
export interface SocketOperation {
  /** The very message that began it: ids are used again, messages are not. */
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

/** The operations of one socket. */
export class SocketOperations {
  readonly #byId = new Map<string, SocketOperation>()

  get size(): number {
    return this.#byId.size
  }

  /** Whether any of them is a query or a mutation, which ends by itself. */
  get hasRequests(): boolean {
    return [...this.#byId.values()].some((operation) => !operation.isSubscription)
  }

  begin(id: string, operation: SocketOperation): void {
    this.#byId.set(id, operation)
  }

  /** The operation that this message began; null once it has ended or its id was used again. */
  find(id: string, payload: SubscribePayload): SocketOperation | null {
    const operation = this.#byId.get(id)
    return operation?.payload === payload ? operation : null
  }

  isCurrent(operation: SocketOperation): boolean {
    return [...this.#byId.values()].includes(operation)
  }

  end(id: string, payload: SubscribePayload): SocketOperation | null {
    const operation = this.find(id, payload)
    if (operation !== null) this.#byId.delete(id)
    return operation
  }
}
