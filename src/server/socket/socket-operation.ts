import { OperationTypeNode } from 'graphql'
import type { Viewer } from '../../auth/viewer.ts'
import type { Traced } from '../../observe/spans.ts'
import type { ResultStream } from '../operation/result-stream.ts'
import type { Subscription } from '../operation/results.ts'

/** One operation on a socket, from its `subscribe` message until it has really ended. */
export interface SocketOperation {
  /**
   * The client's own id. A client may use it again once it has completed this operation, even while this one still
   * ends.
   */
  readonly id: string
  readonly requestId: string
  readonly viewer: Viewer
  /** What it may cost. */
  readonly cost: number
  readonly name: string | null
  readonly type: OperationTypeNode
  /** What it asks for, in words of the schema. */
  readonly field: string
  readonly startedAt: number
  readonly traceId: string | undefined
  /** Its span; null: nobody listens, or it is a subscription that has begun. */
  traced: Traced | null
  /** Of the frames with its results. */
  bytes: number
  /** The results of a subscription that has begun. */
  results: Pick<ResultStream<Subscription>, 'return'> | null
  /** Of a query or a mutation that has begun; disposed when nobody waits for it any more. */
  budget: Disposable | null
  /** Whether the client still waits for it. */
  isAwaited: boolean
  /** `OK`, the code of the first error, or `ABORTED` if the client did not wait for the answer. */
  status: string
}

/** The operations of one socket. */
export class SocketOperations {
  /**
   * The operations that the client waits for: one for most sockets, and no more than the limit. A map would take as much
   * for one as for four, and that is more than the operation itself takes.
   */
  #awaited: readonly SocketOperation[] = []
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
    this.#awaited = [...this.#awaited, operation]
    this.#size += 1
    if (isRequest(operation)) this.#requests += 1
  }

  has(id: string): boolean {
    return this.#awaited.some((operation) => operation.id === id)
  }

  /** The client waits for this operation no longer. A subscription ends, a query reads no more, a mutation runs on. */
  complete(id: string): void {
    const operation = this.#awaited.find((awaited) => awaited.id === id)
    if (operation === undefined) return
    this.#forget(operation)
    operation.results?.return()
    operation.budget?.[Symbol.dispose]()
  }

  completeAll(): void {
    for (const { id } of this.#awaited) this.complete(id)
  }

  /** The operation has ended, whether the client still waited for it or not. */
  end(operation: SocketOperation): void {
    if (operation.isAwaited) this.#forget(operation)
    this.#size -= 1
    if (isRequest(operation)) this.#requests -= 1
  }

  #forget(operation: SocketOperation): void {
    operation.isAwaited = false
    this.#awaited = this.#awaited.filter((awaited) => awaited !== operation)
  }
}

/** Whether it has one answer. */
function isRequest({ type }: SocketOperation): boolean {
  return type !== OperationTypeNode.SUBSCRIPTION
}
