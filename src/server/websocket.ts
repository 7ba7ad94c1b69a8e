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
import { readConnectionParams } from './credentials.ts'
import { findInexactness } from './exact-json.ts'
import { formatError } from './format-error.ts'
import { logOperation } from './log.ts'
import { type CreateContext, drawRequestId } from './operation-context.ts'
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
  caller: Caller | null
  expiry: NodeJS.Timeout | null
  isAlive: boolean
}

type Connected = SocketContext<Record<string, unknown>, Connection>

/** The longest delay of a timer; a proof that is valid for longer than that outlives any socket. */
const longestTimer = 2 ** 31 - 1

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
      execute: (args) => this.#execute(args) as Promise<ExecutionResult>,
      subscribe: (args) => this.#subscribe(args) as Promise<AsyncGenerator<ExecutionResult> | ExecutionResult>,
      onNext: (_context, _id, _payload, _args, result) => result as FormattedResult,
      onError: (_context, _id, _payload, errors) => errors.map((error) => this.#format(error)),
      onComplete: (context, id, payload) => this.#complete(context, id, payload),
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
    const operations = new SocketOperations()
    const connection: Connection = { request, socket, operations, caller: null, expiry: null, isAlive: true }
    this.#connections.add(connection)
    socket.on('pong', () => {
      connection.isAlive = true
    })
    socket.on('error', (error) => this.#use.log.debug({ err: error }, 'a socket failed'))
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on('message', (data, isBinary) => {
            void this.#receive(connection, isBinary ? null : String(data), handle)
          })
        },
      },
      connection,
    )
    socket.once('close', (code, reason) => {
      this.#connections.delete(connection)
      if (connection.expiry !== null) clearTimeout(connection.expiry)
      closed(code, String(reason)).catch((error: unknown) =>
        this.#use.log.error({ err: error }, 'a socket did not close well'),
      )
      this.#onIdle()
    })
    if (this.#isDraining) socket.close(1012, 'Service restart')
  }

  async #receive(connection: Connection, text: string | null, handle: (data: string) => Promise<void>): Promise<void> {
    const { socket } = connection
    if (text === null) return socket.close(1003, 'Text messages only')
    const inexact = findInexactnessOf(text)
    if (inexact !== null) return refuse(socket, text, this.#format(badInput('payload', inexact)))
    try {
      await handle(text)
    } catch (error) {
      this.#use.log.error({ err: error }, 'a message on a socket failed')
      socket.close(4500, 'Internal server error')
    }
  }

  async #connect({ connectionParams, extra }: Connected): Promise<boolean> {
    const { authenticate } = this.#use
    try {
      extra.caller = await authenticate(readConnectionParams(connectionParams, extra.request.headers))
    } catch (error) {
      const formatted = this.#format(error)
      // 4403 and not 4401: clients try again after 4403, with the fresh token that their connectionParams give.
      extra.socket.close(formatted.extensions?.code === 'UNAVAILABLE' ? 1013 : 4403, closeReason(formatted.message))
      return false
    }
    const { expiresAt } = extra.caller
    if (expiresAt !== null) {
      const delay = Math.min(Math.max(expiresAt - Date.now(), 0), longestTimer)
      extra.expiry = setTimeout(() => extra.socket.close(4403, 'The token has expired.'), delay).unref()
    }
    return true
  }

  #admit({ extra }: Connected, id: string, payload: SubscribePayload): ExecutionArgs | readonly GraphQLError[] {
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
      operations.begin(id, operation)
      const contextValue: OperationScope = { operation, operations }
      return {
        schema,
        document: admitted.document,
        operationName: payload.operationName ?? null,
        variableValues: payload.variables ?? null,
        contextValue,
      }
    } catch (error) {
      return [error as GraphQLError]
    }
  }

  /** Queries and mutations take Apollo's pipeline, as over HTTP. */
  async #execute({ contextValue }: ExecutionArgs): Promise<FormattedResult> {
    const { operation } = contextValue as OperationScope
    const { query, variables, operationName } = operation.payload
    const context = this.#use.createContext(operation.viewer, operation.requestId)
    operation.budget = context.budget
    const request = { query, variables: variables ?? undefined, operationName: operationName ?? undefined }
    const { body } = await this.#use.apollo.executeOperation(request, { contextValue: context })
    if (body.kind !== 'single') throw new Error('Incremental delivery is not part of this schema.')
    const { errors, data, extensions } = body.singleResult
    operation.status = statusOf(errors)
    return {
      ...(errors ? { errors } : {}),
      ...(data === undefined ? {} : { data }),
      ...(extensions ? { extensions } : {}),
    }
  }

  async #subscribe(args: ExecutionArgs): Promise<ResultStream | FormattedResult> {
    const { operation, operations } = args.contextValue as OperationScope
    const format = (error: unknown) => formatError(error, operation.requestId, this.#use.log)
    const result = await subscribe({
      args,
      createContext: () => this.#use.createContext(operation.viewer, operation.requestId),
      formatError: format,
    }).catch((error: unknown): FormattedResult => ({ errors: [format(error)] }))
    if (!(result instanceof ResultStream)) operation.status = statusOf(result.errors)
    // Its id was used again before its source was there: nobody could end it any more.
    else if (!operations.isCurrent(operation)) await result.return()
    return result
  }

  #complete({ extra }: Connected, id: string, payload: SubscribePayload): void {
    const operation = extra.operations.end(id, payload)
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
    this.#onIdle()
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

  /** Takes no new operations, lets queries and mutations end, then closes every socket with 1012. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDraining = true
    await this.#until(() => ![...this.#connections].some(({ operations }) => operations.hasRequests))
    for (const { socket } of this.#connections) socket.close(1012, 'Service restart')
    await this.#until(() => this.#connections.size === 0)
    for (const { socket } of this.#connections) socket.terminate()
    clearInterval(this.#pings)
    this.#upgrades.close()
  }

  /** Waits for a condition that only ending operations and sockets bring about; half of the shutdown's time at most. */
  async #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#use.config.shutdownMs / 4)
    this.#onIdle = () => {
      if (isDone()) resolve()
    }
    await promise
    clearTimeout(timer)
    this.#onIdle = () => {}
  }
}

/** What an operation's execution needs to know of it; graphql-ws hands it on as the context. */
interface OperationScope {
  readonly operation: SocketOperation
  readonly operations: SocketOperations
}

/** Settles once the bytes have left for the kernel, so that a slow reader holds back its own stream and nothing else. */
function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve()
    // A failed send is a socket that closes, and closing ends everything on it.
    socket.send(data, () => resolve())
  })
}

function findInexactnessOf(text: string): string | null {
  try {
    JSON.parse(text)
  } catch {
    // Not JSON: the protocol closes the socket for that.
    return null
  }
  return findInexactness(text)
}

/** Refuses one operation; the socket goes on. */
function refuse(socket: WebSocket, text: string, error: object): void {
  const { id, type } = JSON.parse(text) as { id?: unknown; type?: unknown }
  if (type === 'subscribe' && typeof id === 'string') {
    void send(socket, JSON.stringify({ id, type: 'error', payload: [error] }))
  } else {
    socket.close(4400, 'Invalid message received')
  }
}

function statusOf(errors: FormattedResult['errors']): string {
  const code = errors?.[0]?.extensions?.code
  return errors === undefined ? 'ok' : String(code ?? 'error')
}

/** A close frame holds 123 bytes of reason. */
function closeReason(text: string): string {
  return Buffer.byteLength(text) <= 123 ? text : `${text.slice(0, 60)}…`
}
