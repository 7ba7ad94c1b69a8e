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
import { readConnectionParams } from './credentials.ts'
import { findInexactness } from './exact-json.ts'
import { atExpiry } from './expiry.ts'
import { formatError } from './format-error.ts'
import { logOperation } from './log.ts'
import { type CreateContext, drawRequestId } from './operation-context.ts'
import { OperationNumbers } from './operation-numbers.ts'
import { type SocketOperation, SocketOperations } from './socket-operation.ts'
import { type FormattedResult, ResultStream, subscribe } from './subscribe.ts'

export interface SocketDependencies {
  readonly schema: GraphQLSchema
  readonly admission: Admission
  readonly apollo: ApolloServer<Context>
  readonly authenticate: Authenticate
  readonly createContext: CreateContext
  readonly config: Config
  readonly log: Logger
}

/** What is known of one socket, beside what graphql-ws keeps. */
interface Connection {
  readonly request: IncomingMessage
  readonly socket: WebSocket
  readonly operations: SocketOperations
  readonly numbers: OperationNumbers
  caller: Caller | null
  expiry: NodeJS.Timeout | undefined
  isAlive: boolean
  /** Ends the subscriptions on it. */
  end: (code: number, reason: string) => Promise<void>
}

type Connected = SocketContext<Record<string, unknown>, Connection>

/** A socket with more bytes than this unsent is not read: who does not take answers may not go on asking. */
const maxUnsent = 1024 * 1024

/** GraphQL over WebSocket by graphql-transport-ws, with the admission, the limits and the errors of HTTP. */
export class Sockets implements AsyncDisposable {
  readonly #use: SocketDependencies
  readonly #upgrades: WebSocketServer
  readonly #protocol: Server<Connection>
  readonly #connections = new Set<Connection>()
  readonly #pings: NodeJS.Timeout
  #isDraining = false
  #onIdle: () => void = () => {}

  constructor(use: SocketDependencies) {
    this.#use = use
    this.#upgrades = new WebSocketServer({
      noServer: true,
      maxPayload: use.config.limits.bodyBytes,
      perMessageDeflate: false,
      handleProtocols,
    })
    this.#protocol = makeServer<Record<string, unknown>, Connection>({
      onConnect: (context) => this.#connect(context),
      onSubscribe: (context, id, payload) => this.#admit(context, id, payload),
      // Results are formatted where they are made, and so are not what graphql-ws expects; `onNext` hands them on as they are.
      execute: (args) => this.#answer(args, this.#execute(args)) as Promise<ExecutionResult>,
      subscribe: (args) =>
        this.#answer(args, this.#subscribe(args)) as Promise<AsyncGenerator<ExecutionResult> | ExecutionResult>,
      onNext: (_context, _id, _payload, _args, result) => result as FormattedResult,
      onError: (_context, _id, _payload, errors) => errors.map((error) => this.#format(error)),
      onComplete: (context, number) => this.#complete(context, number),
    })
    this.#pings = setInterval(() => this.#ping(), use.config.pingMs)
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
    const connection: Connection = {
      request,
      socket,
      operations: new SocketOperations(),
      numbers: new OperationNumbers(),
      caller: null,
      expiry: undefined,
      isAlive: true,
      end: async () => {},
    }
    this.#connections.add(connection)
    socket.on('pong', () => {
      connection.isAlive = true
    })
    socket.on('error', (error) => this.#use.log.debug({ err: error }, 'a socket failed'))
    connection.end = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => sendOutward(connection, data),
        close: (code, reason) => this.#close(connection, code, reason),
        onMessage: (handle) => {
          socket.on('message', (data, isBinary) => {
            void this.#receive(connection, isBinary ? null : String(data), handle as Handle)
          })
        },
      },
      connection,
    )
    socket.once('close', (code, reason) => {
      this.#connections.delete(connection)
      clearTimeout(connection.expiry)
      this.#end(connection, code, String(reason))
      this.#onIdle()
    })
    if (this.#isDraining) this.#close(connection, 1012, 'Service restart')
  }

  /** Closes it and ends what runs on it at once: the other side may take its time to agree, or never do. */
  #close(connection: Connection, code = 1000, reason = ''): void {
    connection.socket.close(code, closeReason(reason))
    this.#end(connection, code, reason)
  }

  #end(connection: Connection, code: number, reason: string): void {
    connection
      .end(code, reason)
      .catch((error: unknown) => this.#use.log.error({ err: error }, 'a socket did not close well'))
  }

  async #receive(connection: Connection, text: string | null, handle: Handle): Promise<void> {
    const { socket } = connection
    // What still comes on a socket that closes comes too late, as after its token has expired.
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > maxUnsent) socket.pause()
    if (text === null) return this.#close(connection, 1003, 'Text messages only')
    try {
      const message = this.#read(connection, text)
      if (message !== null) await handle(message)
    } catch (error) {
      this.#use.log.error({ err: error }, 'a message on a socket failed')
      this.#close(connection, 4500, 'Internal server error')
    }
  }

  /** A message as graphql-ws is to see it; null when it was dealt with here. */
  #read(connection: Connection, text: string): unknown {
    const { numbers } = connection
    const message = parse(text)
    if (typeof message !== 'object' || message === null) return text
    const { id, type } = message as { id?: unknown; type?: unknown }
    const inexact = findInexactness(text, message)
    if (inexact !== null) {
      if (type !== 'subscribe' || typeof id !== 'string') this.#close(connection, 4400, 'Invalid message received')
      else {
        const payload = [this.#format(badInput('payload', inexact))]
        void send(connection.socket, JSON.stringify({ id, type: 'error', payload }))
      }
      return null
    }
    if (typeof id !== 'string' || id === '') return message
    if (type === 'subscribe') {
      if (!numbers.has(id)) return { ...message, id: numbers.begin(id) }
      this.#close(connection, 4409, `Subscriber for ${id} already exists`)
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
      this.#close(extra, formatted.extensions?.code === 'UNAVAILABLE' ? 1013 : 4403, formatted.message)
      return false
    }
    if (extra.socket.readyState !== extra.socket.OPEN) return false
    extra.expiry = atExpiry(extra.caller.expiresAt, () => this.#close(extra, 4403, 'The token has expired.'))
    return true
  }

  #admit({ extra }: Connected, number: string, payload: SubscribePayload): ExecutionArgs | readonly GraphQLError[] {
    const { admission, schema, config } = this.#use
    const { operations, caller } = extra
    if (this.#isDraining || caller === null) return [unavailable('The server is stopping; connect again.')]
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
    setImmediate(() => this.#onIdle())
  }

  #format(error: unknown): GraphQLFormattedError {
    return formatError(error, drawRequestId(), this.#use.log)
  }

  #ping(): void {
    for (const connection of this.#connections) {
      if (!connection.isAlive) connection.socket.terminate()
      connection.isAlive = false
      connection.socket.ping()
    }
  }

  /**
   * Takes no new operations, and closes every socket with 1012 as soon as its queries and mutations have ended. Those that
   * take longer than three quarters of the shutdown's time are cut, and the rest is for the other sides to agree.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDraining = true
    const { shutdownMs } = this.#use.config
    await this.#until(() => this.#closeIdle() === 0, (shutdownMs * 3) / 4)
    for (const connection of this.#connections) this.#close(connection, 1012, 'Service restart')
    await this.#until(() => this.#connections.size === 0, shutdownMs / 4)
    for (const { socket } of this.#connections) socket.terminate()
    clearInterval(this.#pings)
    this.#upgrades.close()
  }

  /** How many sockets are left that wait for the answer to a query or a mutation. */
  #closeIdle(): number {
    const busy = [...this.#connections].filter(({ operations }) => operations.hasRequests)
    for (const connection of this.#connections) {
      if (!busy.includes(connection)) this.#close(connection, 1012, 'Service restart')
    }
    return busy.length
  }

  /** Waits for a condition that only ending operations and sockets bring about. @param limit in milliseconds */
  async #until(isDone: () => boolean, limit: number): Promise<void> {
    if (isDone()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, limit)
    this.#onIdle = () => {
      if (isDone()) resolve()
    }
    await promise
    clearTimeout(timer)
    this.#onIdle = () => {}
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

async function sendOutward({ numbers, socket }: Connection, data: string): Promise<void> {
  const text = numbers.outward(data)
  if (text !== null) await send(socket, text)
}

/** Settles once the bytes have left for the kernel, so that a slow reader holds back its own stream and nothing else. */
function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve()
    // A failed send is a socket that closes, and closing ends everything on it.
    socket.send(data, () => {
      if (socket.isPaused && socket.bufferedAmount <= maxUnsent) socket.resume()
      resolve()
    })
  })
}

function statusOf(errors: FormattedResult['errors']): string {
  const code = errors?.[0]?.extensions?.code
  return errors === undefined ? 'ok' : String(code ?? 'error')
}

/** A close frame holds 123 bytes of reason. */
function closeReason(text: string): string {
  return Buffer.byteLength(text) <= 123 ? text : `${text.slice(0, 40)}…`
}
