import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ApolloServer } from '@apollo/server'
import {
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql'
import {
  handleProtocols,
  makeServer,
  type Server,
  type Context as SocketContext,
  type SubscribePayload,
} from 'graphql-ws'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { viewerOf } from '../auth/authenticate.ts'
import type { Authenticate, Caller } from '../auth/viewer.ts'
import type { Config } from '../config.ts'
import { ApiError, badInput, unavailable } from '../errors.ts'
import type { Context } from '../graphql/context.ts'
import type { Admission } from './admission.ts'
import { answerRequest } from './answer-request.ts'
import { Connections } from './connections.ts'
import { Counts } from './counts.ts'
import { readConnectionParams } from './credentials.ts'
import { findInexactness } from './exact-json.ts'
import type { Executor } from './executor.ts'
import { atExpiry } from './expiry.ts'
import { formatError } from './format-error.ts'
import { logOperation } from './log.ts'
import { type CreateContext, drawRequestId } from './operation-context.ts'
import type { SharedAnswers } from './shared-answers.ts'
import { SocketConnection } from './socket-connection.ts'
import type { SocketOperation } from './socket-operation.ts'
import { type FormattedResult, ResultStream, subscribe } from './subscribe.ts'
import { WrittenPayload, withPayload } from './written-payload.ts'

export interface SocketDependencies {
  readonly schema: GraphQLSchema
  readonly executor: Executor
  readonly answers: SharedAnswers
  readonly admission: Admission
  readonly apollo: ApolloServer<Context>
  readonly authenticate: Authenticate
  readonly createContext: CreateContext
  readonly config: Config
  readonly log: Logger
}

type Connected = SocketContext<Record<string, unknown>, SocketConnection>

/** GraphQL over WebSocket by graphql-transport-ws, with the admission, the limits and the errors of HTTP. */
export class Sockets implements AsyncDisposable {
  readonly #use: SocketDependencies
  readonly #upgrades: WebSocketServer
  readonly #protocol: Server<SocketConnection>
  readonly #connections = new Connections<SocketConnection>()
  readonly #counts = new Counts()
  readonly #pings: NodeJS.Timeout

  constructor(use: SocketDependencies) {
    this.#use = use
    this.#upgrades = new WebSocketServer({
      noServer: true,
      maxPayload: use.config.limits.bodyBytes,
      perMessageDeflate: false,
      handleProtocols,
    })
    this.#protocol = makeServer<Record<string, unknown>, SocketConnection>({
      onConnect: (context) => this.#connect(context),
      onSubscribe: (context, id, payload) => this.#admit(context, id, payload),
      // Results are formatted where they are made, and so are not what graphql-ws expects; `onNext` hands them on as they are.
      execute: (args) => this.#answer(args, this.#execute(args)) as Promise<ExecutionResult>,
      subscribe: (args) =>
        this.#answer(args, this.#subscribe(args)) as Promise<AsyncGenerator<ExecutionResult> | ExecutionResult>,
      onNext: (_context, _id, _payload, _args, result) => new WrittenPayload(result as FormattedResult) as object,
      onError: (_context, _id, _payload, errors) => errors.map((error) => this.#format(error)),
      onComplete: (context, number) => this.#complete(context, number),
    })
    this.#pings = setInterval(() => {
      for (const connection of this.#connections) connection.look()
    }, use.config.pingMs)
    this.#pings.unref()
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#connections.size
  }

  /** Takes an HTTP upgrade over. */
  accept(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#upgrades.handleUpgrade(request, stream, head, (socket) => this.#open(socket, request))
  }

  #open(socket: WebSocket, request: IncomingMessage): void {
    const { config, log } = this.#use
    const connection = new SocketConnection(socket, request, config.limits.messagesPerSecond, log)
    this.#connections.add(connection)
    connection.endSubscriptions = this.#protocol.opened(
      {
        protocol: connection.protocol,
        send: (data) => sendOutward(connection, data),
        close: (code, reason) => connection.close(code, reason),
        onMessage: (handle) => connection.onMessage((text) => void this.#receive(connection, text, handle as Handle)),
      },
      connection,
    )
    connection.onClosed(() => this.#connections.delete(connection))
    if (this.#connections.isDraining) connection.letGo()
  }

  async #receive(connection: SocketConnection, text: string | null, handle: Handle): Promise<void> {
    if (text === null) return connection.close(1003, 'Text messages only')
    try {
      const message = this.#read(connection, text)
      if (message !== null) await handle(message)
    } catch (error) {
      this.#use.log.error({ err: error }, 'a message on a socket failed')
      connection.close(4500, 'Internal server error')
    }
  }

  /** A message as graphql-ws is to see it; null when it was dealt with here. */
  #read(connection: SocketConnection, text: string): unknown {
    const { numbers } = connection
    const message = parse(text)
    if (typeof message !== 'object' || message === null) return text
    const { id, type } = message as { id?: unknown; type?: unknown }
    const inexact = findInexactness(text, message)
    if (inexact !== null) {
      if (type !== 'subscribe' || typeof id !== 'string') connection.close(4400, 'Invalid message received')
      else {
        const payload = [this.#format(badInput('payload', inexact))]
        void connection.send(JSON.stringify({ id, type: 'error', payload }))
      }
      return null
    }
    if (typeof id !== 'string' || id === '') return message
    if (type === 'subscribe') {
      if (!numbers.has(id)) return { ...message, id: numbers.begin(id) }
      connection.close(4409, `Subscriber for ${id} already exists`)
      return null
    }
    if (type !== 'complete') return message
    const number = numbers.end(id)
    return number === null ? null : { ...message, id: number }
  }

  async #connect({ connectionParams, extra }: Connected): Promise<boolean> {
    const { authenticate } = this.#use
    try {
      extra.caller = await authenticate(readConnectionParams(connectionParams, extra.request.headers))
    } catch (error) {
      const formatted = this.#format(error)
      // 4403 and not 4401: clients try again after 4403, with the fresh token that their connectionParams give.
      extra.close(formatted.extensions?.code === 'UNAVAILABLE' ? 1013 : 4403, formatted.message)
      return false
    }
    if (!extra.isOpen || !this.#count(extra, extra.caller)) return false
    extra.expireBy(atExpiry(extra.caller.expiresAt, () => extra.close(4403, 'The token has expired.')))
    return true
  }

  /** Counts the socket of this caller until it is closed; false: there are too many, and it is closed now. */
  #count(connection: SocketConnection, { viewer, backend }: Caller): boolean {
    const limit = this.#use.config.limits.sockets
    const name = viewer === null ? `backend ${backend}` : `user ${viewer.userId}`
    if (this.#counts.of(name) >= limit) {
      // One of those after which clients try again later.
      connection.close(1013, `At most ${limit} sockets at once for a ${viewer === null ? 'service key' : 'user'}`)
      return false
    }
    this.#counts.add(name)
    connection.onClosed(() => this.#counts.remove(name))
    return true
  }

  #admit({ extra }: Connected, number: string, payload: SubscribePayload): ExecutionArgs | readonly GraphQLError[] {
    const { admission, schema, config } = this.#use
    const { operations, caller } = extra
    if (this.#connections.isDraining || caller === null) {
      // Clients ask again elsewhere what was closed before it began, and show their users what was refused.
      if (!extra.isBusy) extra.letGo()
      return [unavailable('The server is stopping; connect again.')]
    }
    if (operations.size >= config.limits.subscriptions) {
      return [new ApiError('RATE_LIMITED', `At most ${config.limits.subscriptions} operations at once on a socket.`)]
    }
    const admitted = admission.admit(payload.query)
    if ('errors' in admitted) return admitted.errors
    const ast = getOperationAST(admitted.document, payload.operationName)
    if (!ast) return [badInput('operationName', 'names no operation of this document.')]
    try {
      const operation: SocketOperation = {
        payload,
        requestId: drawRequestId(),
        viewer: viewerOf(caller, payload.extensions?.userId),
        name: ast.name?.value ?? null,
        isSubscription: ast.operation === 'subscription',
        startedAt: performance.now(),
        status: 'ok',
        budget: null,
      }
      operations.begin(number, operation)
      return {
        schema,
        document: admitted.document,
        operationName: payload.operationName ?? null,
        variableValues: payload.variables ?? null,
        contextValue: operation,
      }
    } catch (error) {
      return [error as GraphQLError]
    }
  }

  /** An operation that throws would be closed with its whole socket, and never be complete. */
  async #answer<Result extends ResultStream | FormattedResult>(
    args: ExecutionArgs,
    running: Promise<Result>,
  ): Promise<Result | FormattedResult> {
    const operation = args.contextValue as SocketOperation
    const result = await running.catch((error: unknown): FormattedResult => {
      return { errors: [formatError(error, operation.requestId, this.#use.log)] }
    })
    if (!(result instanceof ResultStream)) operation.status = statusOf(result.errors)
    return result
  }

  /** Queries and mutations take Apollo's pipeline, as over HTTP. */
  async #execute({ contextValue }: ExecutionArgs): Promise<FormattedResult> {
    const operation = contextValue as SocketOperation
    const context = this.#use.createContext(operation.viewer, operation.requestId)
    operation.budget = context.budget
    return answerRequest(this.#use.apollo, operation.payload, context)
  }

  #subscribe(args: ExecutionArgs): Promise<ResultStream | FormattedResult> {
    const operation = args.contextValue as SocketOperation
    return subscribe({
      args,
      source: args.document,
      executor: this.#use.executor,
      answers: this.#use.answers,
      userId: operation.viewer.userId,
      createContext: () => this.#use.createContext(operation.viewer, operation.requestId),
      formatError: (error) => formatError(error, operation.requestId, this.#use.log),
    })
  }

  #complete({ extra }: Connected, number: string): void {
    const operation = extra.operations.end(number)
    if (operation === null) return
    operation.budget?.[Symbol.dispose]()
    logOperation(this.#use.log, {
      requestId: operation.requestId,
      over: 'websocket',
      operation: operation.name,
      viewer: operation.viewer.userId,
      ms: performance.now() - operation.startedAt,
      status: operation.status,
    })
    // Its `complete` is still to be sent, and clients repeat what was closed before that: mutations too.
    setImmediate(() => this.#connections.answered(extra))
  }

  #format(error: unknown): GraphQLFormattedError {
    return formatError(error, drawRequestId(), this.#use.log)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections.drain(this.#use.config.shutdownMs)
    clearInterval(this.#pings)
    this.#upgrades.close()
  }
}

/** graphql-ws takes a message as text or parsed already; its types tell only of the first. */
type Handle = (message: unknown) => Promise<void>

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: the protocol closes the socket for that.
    return null
  }
}

async function sendOutward(connection: SocketConnection, data: string): Promise<void> {
  const text = connection.numbers.outward(withPayload(data))
  if (text !== null) await connection.send(text)
}

function statusOf(errors: FormattedResult['errors']): string {
  const code = errors?.[0]?.extensions?.code
  return errors === undefined ? 'ok' : String(code ?? 'error')
}
