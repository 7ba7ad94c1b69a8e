import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import { type DocumentNode, type GraphQLFormattedError, OperationTypeNode } from 'graphql'
import type { Viewer } from '../../auth/viewer.ts'
import { ApiError } from '../../errors.ts'
import { type Connection, Connections } from '../connection/connections.ts'
import { Counts } from '../connection/counts.ts'
import { atExpiry } from '../connection/expiry.ts'
import { formatError } from '../operation/format-error.ts'
import { asksCost } from '../operation/operations.ts'
import { codeOf, type Outcome } from '../operation/outcome.ts'
import { ResultStream } from '../operation/result-stream.ts'
import { Result } from '../operation/results.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import type { GraphqlRequest } from '../request/graphql-request.ts'
import { EventStream } from './sse-stream.ts'

/** An operation that was admitted. */
export interface StreamedOperation {
  readonly requestId: string
  readonly viewer: Viewer
  /** What it may cost. */
  readonly cost: number
  /** When the proof of who is calling expires, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
  readonly request: GraphqlRequest
  readonly type: OperationTypeNode
  readonly document: DocumentNode
  /**
   * The cursor of the last event that the client saw of a subscription; null: the client begins as the document says.
   */
  readonly after: string | null
  readonly outcome: Outcome
}

interface OpenStream extends Connection {
  readonly stream: EventStream
}

/** After an error with one of these codes it is worth asking again. */
const passing: readonly unknown[] = ['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL_SERVER_ERROR']

/** GraphQL over server-sent events: one operation a stream, with the feeds, the answers and the errors of WebSocket. */
export class EventStreams implements AsyncDisposable {
  readonly #use: TransportDependencies
  readonly #open = new Connections<OpenStream>()
  readonly #counts = new Counts()
  readonly #looks: NodeJS.Timeout

  constructor(use: TransportDependencies) {
    this.#use = use
    this.#looks = setInterval(() => {
      for (const { stream } of this.#open) stream.look()
    }, use.config.pingMs)
    this.#looks.unref()
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size
  }

  /** Takes the HTTP answer over from Fastify, and settles when all of it was sent. */
  async run(reply: FastifyReply, operation: StreamedOperation): Promise<void> {
    const isSubscription = operation.type === OperationTypeNode.SUBSCRIPTION
    const stream = this.#begin(reply, operation.viewer, isSubscription)
    if (this.#open.isDraining) return stream.cut()
    const refusal = this.#refusal(operation.viewer)
    // When the proof expires, the client of a subscription connects again with a new one. A query or a mutation ends by
    // itself.
    const expiry = isSubscription ? atExpiry(operation.expiresAt, () => stream.cut()) : undefined
    try {
      if (refusal !== null) await this.#refuse(stream, this.#resultOf(refusal, operation))
      else if (isSubscription) await this.#follow(stream, operation)
      else await this.#answer(stream, operation)
    } catch (error) {
      // A client would send a mutation again whose stream is not complete. A subscription loses nothing by being cut.
      const result = this.#resultOf(error, operation)
      if (isSubscription) await this.#refuse(stream, result)
      else await this.#finish(stream, result)
    } finally {
      clearTimeout(expiry)
    }
  }

  /** Says, on a stream as the protocol wants it, why nothing runs. */
  async refuse(reply: FastifyReply, viewer: Viewer, errors: readonly GraphQLFormattedError[]): Promise<void> {
    await this.#refuse(this.#begin(reply, viewer, false), new Result({ errors }))
  }

  #begin(reply: FastifyReply, { userId }: Viewer, isSubscription: boolean): EventStream {
    reply.hijack()
    const stream = new EventStream(reply.raw, reply.getHeaders() as OutgoingHttpHeaders)
    const open: OpenStream = {
      stream,
      // The client of a subscription goes on at another server. A query or a mutation is answered here first.
      isBusy: !isSubscription,
      letGo: () => stream.cut(),
      terminate: () => stream.destroy(),
    }
    this.#open.add(open)
    this.#counts.add(userId)
    reply.raw.once('close', () => {
      this.#open.delete(open)
      this.#counts.remove(userId)
    })
    return stream
  }

  #refusal({ userId }: Viewer): ApiError | null {
    const limit = this.#use.config.limits.subscriptions
    if (this.#counts.of(userId) <= limit) return null
    this.#use.refusals.add('streams_per_user')
    return new ApiError('RATE_LIMITED', `At most ${limit} event streams at once for a user.`)
  }

  async #follow(stream: EventStream, operation: StreamedOperation): Promise<void> {
    const { viewer, requestId, request, document, after } = operation
    const { operationName, variables: variableValues } = request
    const tellsCost = asksCost(request)
    const startedAt = performance.now()
    const subscription = { viewer, requestId, document, operationName, variableValues, tellsCost, startedAt }
    const results = await this.#use.operations.follow(subscription, after)
    if (!(results instanceof ResultStream)) {
      operation.outcome.code = codeOf(results.value.errors)
      return this.#refuse(stream, results)
    }
    stream.ended.addEventListener('abort', () => results.return())
    // The stream may have ended before this listened to it.
    if (stream.ended.aborted) results.return()
    await new Promise<void>((resolve, reject) => {
      results.begin({
        next: (_, result) => stream.next(result),
        over: () => resolve(),
        failed: (_, error) => reject(error),
      })
    })
    await stream.complete()
  }

  async #answer(stream: EventStream, operation: StreamedOperation): Promise<void> {
    const { operations } = this.#use
    const context = operations.createContext(operation.viewer, operation.requestId, operation.type)
    using budget = context.budget
    stream.ended.addEventListener('abort', () => budget[Symbol.dispose]())
    const { result } = await operations.answer(operation.request, context, operation.cost)
    operation.outcome.code = codeOf(result.value.errors)
    await this.#finish(stream, result)
  }

  async #finish(stream: EventStream, result: Result): Promise<void> {
    await stream.next(result)
    await stream.complete()
  }

  /**
   * Sends why a subscription does not begin or does not go on. The stream is complete unless it is worth asking again.
   */
  async #refuse(stream: EventStream, result: Result): Promise<void> {
    if (!passing.includes(result.value.errors?.[0]?.extensions?.code)) return this.#finish(stream, result)
    await stream.next(result)
    stream.cut()
  }

  #resultOf(error: unknown, { requestId, outcome }: StreamedOperation): Result {
    const errors = [formatError(error, requestId, this.#use.log)]
    outcome.code = codeOf(errors)
    return new Result({ errors })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.drain(this.#use.config.shutdownMs)
    clearInterval(this.#looks)
  }
}
