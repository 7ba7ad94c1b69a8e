/*
 * The server speaks graphql-transport-ws itself; of the package graphql-ws it uses only the names and the check
 * of messages. That package writes every message for each watcher anew. Here the result of an event is written once for
 * all who watch it, and a message is one watcher's id and those bytes: with 2,000 watchers of one conversation a
 * delivery took 14.2 µs of the server instead of 18.2. That package also knows an operation by the client's id alone:
 * when a client uses an id again while the earlier operation still ends, it would send results of the earlier one as
 * those of the later one.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type GraphQLFormattedError, OperationTypeNode } from 'graphql'
import { CloseCode, type Message, MessageType, type SubscribePayload, validateMessage } from 'graphql-ws'
import type { WebSocket } from 'ws'
import { viewerOf } from '../../auth/authenticate.ts'
import type { Caller } from '../../auth/viewer.ts'
import { contractLimits } from '../../config.ts'
import { ApiError, badInput, unavailable } from '../../errors.ts'
import { beginRequest, endRequest, type Traced, traceIdOf, within } from '../../observe/spans.ts'
import { atOnce, inTurns, type Work } from '../../turns.ts'
import type { Connection } from '../connection/connections.ts'
import { atExpiry } from '../connection/expiry.ts'
import { formatError } from '../operation/format-error.ts'
import { drawRequestId } from '../operation/operation-context.ts'
import { logOperation } from '../operation/operation-log.ts'
import { asksCost } from '../operation/operations.ts'
import { codeOf } from '../operation/outcome.ts'
import { type ResultSink, ResultStream } from '../operation/result-stream.ts'
import type { Result, Subscription } from '../operation/results.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import { authenticateFrom } from '../rate/authenticate-from.ts'
import { findExcess } from '../request/body-limits.ts'
import { readConnectionParams } from '../request/credentials.ts'
import { findInexactness } from '../request/exact-json.ts'
import { nameOrNone } from '../request/graphql-request.ts'
import type { Outbox } from './outbox.ts'
import { SocketConnection, type SocketListener } from './socket-connection.ts'
import { type SocketOperation, SocketOperations } from './socket-operation.ts'
import { textFrame } from './text-frame.ts'

/** What a session asks of the server about all sessions together. */
export interface SessionHost {
  readonly isDraining: boolean
  readonly outbox: Outbox
  /** Counts the session for this caller until the session leaves; false: this caller has too many. */
  enter(caller: Caller): boolean
  answered(session: SocketSession): void
  /** @param caller null: it never entered */
  leave(session: SocketSession, caller: Caller | null): void
}

const initMs = 3_000
/**
 * As much as a request's headers may have: of a caller whom the server does not know yet it parses no more in all, and of
 * others no more of a message that is no `subscribe`.
 */
const otherBytes = 16 * 1024

/** In bytes: a longer message is read in several turns of the event loop. */
const longMessage = 128 * 1024

/** A subscription is executed with its operation alone. So the text of its document is not kept. */
type Following = SocketOperation & Subscription

/**
 * The server's side of the protocol on one socket (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md):
 *
 *     new ── connection_init ──▶ authenticating ── the caller is known ──▶ acknowledged: operations may begin
 *      └── nothing for 3 s, more than 16 KiB, or anything wrong ──▶ closed
 */
export class SocketSession implements Connection, SocketListener, ResultSink<Following> {
  readonly #use: TransportDependencies
  readonly #host: SessionHost
  readonly #connection: SocketConnection
  readonly #operations = new SocketOperations()
  /** Of the client, for the log. */
  readonly #address: string | null
  /** The headers of the upgrade; null once `connection_init` has come. */
  #headers: IncomingHttpHeaders | null
  /** null: the session is not acknowledged yet. */
  #caller: Caller | null = null
  /** How many bytes came before the session was acknowledged. */
  #bytesBefore = 0
  /** The messages that came while a long one is read; null: none is. */
  #behindLong: (Buffer | null)[] | null = null
  /** Closes the session when `connection_init` does not come, and later when the proof of its caller expires. */
  #deadline: NodeJS.Timeout | undefined

  constructor(use: TransportDependencies, host: SessionHost, socket: WebSocket, request: IncomingMessage) {
    const { config, log } = use
    this.#use = use
    this.#host = host
    this.#headers = request.headers
    this.#address = use.proxies.addressOf(request)
    const { messagesPerSecond } = config.limits
    this.#connection = new SocketConnection(socket, request, host.outbox, messagesPerSecond, log, this)
    const { SubprotocolNotAcceptable, ConnectionInitialisationTimeout } = CloseCode
    if (socket.protocol === '') this.#connection.close(SubprotocolNotAcceptable, 'Subprotocol not acceptable')
    else {
      const late = () => this.#connection.close(ConnectionInitialisationTimeout, 'Connection initialisation timeout')
      this.#deadline = setTimeout(late, initMs)
    }
  }

  /** Whether a query or a mutation on this session is still to be answered. */
  get isBusy(): boolean {
    return this.#connection.isOpen && this.#operations.hasRequests
  }

  look(): void {
    this.#connection.look()
  }

  /** Closes the session because the server stops. Its client connects to another server. */
  letGo(): void {
    this.#connection.close(1012, 'Service restart')
  }

  terminate(): void {
    this.#connection.terminate()
  }

  receive(text: Buffer | null): void {
    if (this.#behindLong !== null) {
      this.#behindLong.push(text)
      return
    }
    const isLong = text !== null && text.length > longMessage && this.#caller !== null
    const handled = isLong ? this.#handleLong(text) : this.#handle(text)
    handled.catch((error: unknown) => {
      this.#use.log.error({ err: error }, 'a message on a socket failed')
      this.#connection.close(CloseCode.InternalServerError, 'Internal server error')
    })
  }

  isTooFast(): void {
    const viewer = this.#caller?.viewer?.userId ?? null
    this.#use.refusals.add('messages_per_second')
    this.#use.log.warn({ viewer }, 'a socket sends more than MAX_MESSAGES_PER_SECOND, and is read no faster')
  }

  ended(): void {
    clearTimeout(this.#deadline)
    this.#operations.completeAll()
  }

  closed(): void {
    this.#host.leave(this, this.#caller)
  }

  /** Reads a message in turns. What comes behind it is handled after it. */
  async #handleLong(long: Buffer): Promise<void> {
    this.#behindLong = []
    const message = await this.#connection.unread(inTurns(this.#read(long)))
    // Of a socket that was closed meanwhile nothing may begin.
    if (!this.#connection.isOpen) return
    const behind = this.#behindLong
    this.#behindLong = null
    const handled = this.#act(message)
    for (const text of behind) this.receive(text)
    return handled
  }

  async #handle(text: Buffer | null): Promise<void> {
    if (text === null) return this.#connection.close(1003, 'Text messages only')
    if (this.#caller === null) {
      this.#bytesBefore += text.length
      if (this.#bytesBefore > otherBytes) {
        return this.#connection.close(1009, `At most ${otherBytes} bytes before connection_ack`)
      }
    }
    return this.#act(atOnce(this.#read(text)))
  }

  async #act(message: Message | null): Promise<void> {
    switch (message?.type) {
      case undefined:
        return
      case MessageType.ConnectionInit:
        return this.#initialise(message.payload)
      case MessageType.Ping:
        this.#send({ type: MessageType.Pong, payload: message.payload })
        return
      case MessageType.Pong:
        return
      case MessageType.Subscribe:
        return this.#subscribe(message.id, {
          ...this.#use.operations.named(message.payload),
          operationName: nameOrNone(message.payload.operationName),
        })
      case MessageType.Complete:
        return this.#operations.complete(message.id)
      default:
        this.#connection.close(CloseCode.BadRequest, 'Invalid message received')
    }
  }

  /** The message; null: it was refused. */
  *#read(bytes: Buffer): Work<Message | null> {
    const text = bytes.toString()
    yield
    const excess = findExcess(text, this.#use.config.limits, 'message')
    if (excess !== null) {
      this.#connection.close(1009, excess.message)
      return null
    }
    yield
    const given = parse(text)
    yield
    const { id, type } = given ?? {}
    if (typeof id === 'string' && id.length > contractLimits.operationId) {
      // It would be sent again with each result.
      this.#connection.close(CloseCode.BadRequest, `An id has at most ${contractLimits.operationId} characters`)
      return null
    }
    if (bytes.length > otherBytes && type !== MessageType.Subscribe) {
      this.#connection.close(1009, `At most ${otherBytes} bytes of a message other than subscribe`)
      return null
    }
    const inexact = given === null ? null : findInexactness(text, given)
    if (inexact !== null && type === MessageType.Subscribe && typeof id === 'string') {
      this.#sendErrors(id, [this.#format(badInput('payload', inexact))])
      return null
    }
    const message = inexact === null ? valid(given) : null
    if (message === null) this.#connection.close(CloseCode.BadRequest, 'Invalid message received')
    return message
  }

  async #initialise(params: Readonly<Record<string, unknown>> | undefined): Promise<void> {
    const headers = this.#headers
    if (headers === null) {
      return this.#connection.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests')
    }
    this.#headers = null
    clearTimeout(this.#deadline)
    const caller = await this.#authenticate(params, headers)
    if (caller === null || !this.#connection.isOpen) return
    if (!this.#host.enter(caller)) {
      const { sockets } = this.#use.config.limits
      this.#use.refusals.add('sockets_per_user')
      const whose = caller.viewer === null ? 'service key' : 'user'
      // 1013 is one of the codes after which clients try again later.
      return this.#connection.close(1013, `At most ${sockets} sockets at once for a ${whose}`)
    }
    this.#caller = caller
    this.#deadline = atExpiry(caller.expiresAt, () => this.#connection.close(4403, 'The token has expired.'))
    this.#send({ type: MessageType.ConnectionAck })
  }

  async #authenticate(
    params: Readonly<Record<string, unknown>> | undefined,
    headers: IncomingHttpHeaders,
  ): Promise<Caller | null> {
    try {
      const from = { socket: this.#connection.stream, headers }
      return await authenticateFrom(from, readConnectionParams(params, headers), this.#use)
    } catch (error) {
      const { extensions, message } = this.#format(error)
      this.#use.refusals.add('caller')
      // 4403 and not 4401: after 4403 clients try again, with the fresh token that their connectionParams give.
      const isPassing = extensions?.code === 'UNAVAILABLE' || extensions?.code === 'RATE_LIMITED'
      this.#connection.close(isPassing ? 1013 : 4403, message)
      return null
    }
  }

  #subscribe(id: string, payload: SubscribePayload): void {
    if (this.#caller === null) this.#connection.close(CloseCode.Unauthorized, 'Unauthorized')
    else if (this.#operations.has(id)) {
      this.#connection.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`)
    } else {
      const traced = beginRequest('websocket subscribe', payload.extensions, {})
      const operation = this.#admit(id, payload, this.#caller, traced)
      if ('requestId' in operation) within(traced, () => this.#begin(operation, payload))
      else {
        const code = codeOf(operation)
        this.#use.meter.ended('none', 'websocket', code, null)
        if (traced !== null) endRequest(traced, code, {})
        this.#sendErrors(id, operation)
      }
    }
  }

  #begin(operation: Following, payload: SubscribePayload): void {
    this.#operations.begin(operation)
    if (operation.type === OperationTypeNode.SUBSCRIPTION) void this.#follow(operation)
    else void this.#answer(operation, payload)
  }

  /** The operation that may run, or the errors that say why none may. */
  #admit(
    id: string,
    payload: SubscribePayload,
    caller: Caller,
    traced: Traced | null,
  ): Following | readonly GraphQLFormattedError[] {
    const requestId = drawRequestId()
    traced?.span.setAttribute('colloquy.request.id', requestId)
    try {
      if (this.#host.isDraining) {
        // When the socket is closed, clients send the operation to another server; an error they would show to their
        // users.
        if (!this.isBusy) this.letGo()
        throw unavailable('The server is stopping; connect again.')
      }
      const { operations, config } = this.#use
      const { subscriptions } = config.limits
      if (this.#operations.size >= subscriptions) {
        this.#use.refusals.add('operations_per_socket')
        throw new ApiError('RATE_LIMITED', `At most ${subscriptions} operations at once on a socket.`)
      }
      const viewer = viewerOf(caller, payload.extensions?.userId)
      const admitted = operations.admit(payload.query, payload, viewer, requestId)
      if ('errors' in admitted) return admitted.errors
      const { document, operation, field, cost } = admitted
      return {
        id,
        requestId,
        viewer,
        cost,
        name: operation.name?.value ?? null,
        type: operation.operation,
        field,
        startedAt: performance.now(),
        traceId: traceIdOf(traced, payload.extensions?.traceparent),
        traced,
        bytes: 0,
        results: null,
        budget: null,
        isAwaited: true,
        status: 'OK',
        document,
        operationName: payload.operationName,
        variableValues: payload.variables,
        tellsCost: asksCost(payload),
      }
    } catch (error) {
      return [formatError(error, requestId, this.#use.log)]
    }
  }

  /** Never fails. */
  async #follow(operation: Following): Promise<void> {
    try {
      const results = await this.#use.operations.follow(operation)
      if (results instanceof ResultStream) {
        operation.results = results
        this.#endTrace(operation)
        if (!operation.isAwaited) results.return()
        results.begin(this)
      } else {
        await this.next(operation, results)
        this.over(operation)
      }
    } catch (error) {
      this.failed(operation, error)
    }
  }

  /** Queries and mutations take Apollo's pipeline, as over HTTP. Never fails. */
  async #answer(operation: SocketOperation, payload: SubscribePayload): Promise<void> {
    try {
      const { operations } = this.#use
      const context = operations.createContext(operation.viewer, operation.requestId, operation.type)
      // The answer counts until it was sent.
      using budget = context.budget
      operation.budget = budget
      const { result } = await operations.answer(payload, context, operation.cost)
      await this.next(operation, result)
      this.over(operation)
    } catch (error) {
      this.failed(operation, error)
    }
  }

  /** Sends one result. Returns what `SocketConnection.send` returns. */
  next(operation: SocketOperation, result: Result): Promise<void> | null {
    if (operation.results === null) operation.status = statusOf(operation, result.value.errors)
    if (!operation.isAwaited) return null
    const head = `{"id":${JSON.stringify(operation.id)},"type":"next","payload":`
    const frame = textFrame(head, result.messageEnd)
    for (const piece of frame) operation.bytes += piece.length
    return this.#connection.send(frame)
  }

  over(operation: SocketOperation): void {
    if (operation.isAwaited) this.#send({ id: operation.id, type: MessageType.Complete })
    this.#end(operation)
  }

  failed(operation: SocketOperation, error: unknown): void {
    const errors = [formatError(error, operation.requestId, this.#use.log)]
    operation.status = statusOf(operation, errors)
    if (operation.isAwaited) this.#sendErrors(operation.id, errors)
    this.#end(operation)
  }

  /** The span of a subscription ends when it has begun: what comes then belongs to what happened. */
  #endTrace(operation: SocketOperation): void {
    if (operation.traced !== null) endRequest(operation.traced, operation.status, {})
    operation.traced = null
  }

  #end(operation: SocketOperation): void {
    this.#operations.end(operation)
    this.#endTrace(operation)
    const ms = performance.now() - operation.startedAt
    const { field, type, status } = operation
    this.#use.meter.ended(field, 'websocket', status, type === OperationTypeNode.SUBSCRIPTION ? null : ms)
    logOperation(this.#use.log, {
      requestId: operation.requestId,
      over: 'websocket',
      address: this.#address,
      operation: operation.name,
      viewer: operation.viewer.userId,
      actor: operation.viewer.actor ?? undefined,
      ms,
      status: status === 'OK' ? 'ok' : status,
      bytes: operation.bytes,
      traceId: operation.traceId,
    })
    this.#host.answered(this)
  }

  #sendErrors(id: string, payload: readonly GraphQLFormattedError[]): void {
    this.#send({ id, type: MessageType.Error, payload })
  }

  #send(message: object): void {
    void this.#connection.send(textFrame(JSON.stringify(message)))
  }

  #format(error: unknown): GraphQLFormattedError {
    return formatError(error, drawRequestId(), this.#use.log)
  }
}

/** `ABORTED` where the client no longer waited for the answer, as over HTTP. */
function statusOf({ isAwaited }: SocketOperation, errors: readonly GraphQLFormattedError[] | undefined): string {
  return isAwaited ? codeOf(errors) : 'ABORTED'
}

/** null: it is not JSON. */
function parse(text: string): Partial<Record<string, unknown>> | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** null: the protocol does not know such a message. */
function valid(message: unknown): Message | null {
  try {
    return validateMessage(message)
  } catch {
    return null
  }
}
