import { WebSocket } from 'ws'
import type { Answer, GraphqlError } from '../api.ts'
import type { TestServer } from '../server.ts'
import { Wire } from './wire.ts'

export type { Frame } from './wire.ts'

/** A wire whose operations have the ids that a test chooses, and whose socket has the options that it needs. */
export class Socket extends Wire {
  constructor(server: TestServer, protocols: string | string[] = 'graphql-transport-ws', options = {}) {
    super(new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, protocols, options))
  }

  /** A socket whose connection is acknowledged, as `ada` unless another is named. */
  static async connect(server: TestServer, options: object = {}, userId = 'ada'): Promise<Socket> {
    const socket = new Socket(server, 'graphql-transport-ws', options)
    await new Promise((resolve) => socket.ws.once('open', resolve))
    socket.send({ type: 'connection_init', payload: { 'x-user-id': userId } })
    const ack = await socket.receive()
    if (ack?.type !== 'connection_ack') throw new Error(`expected an acknowledgement, and got ${JSON.stringify(ack)}`)
    return socket
  }

  begin(id: string, query: string, variables?: object): void {
    this.send({ id, type: 'subscribe', payload: { query, ...(variables ? { variables } : {}) } })
  }

  complete(id: string): void {
    this.send({ id, type: 'complete' })
  }

  /** The payload of the next message, which must be a result of this operation. */
  async result(id: string): Promise<Answer> {
    const frame = await this.receive()
    if (frame?.type !== 'next' || frame.id !== id) {
      throw new Error(`expected a result of ${id}, and got ${JSON.stringify(frame)}`)
    }
    return frame.payload
  }

  /** A query or a mutation from its `subscribe` to its `complete`: its answer, or the errors that it was refused with. */
  async run(id: string, query: string, variables?: object): Promise<Answer | readonly GraphqlError[]> {
    this.begin(id, query, variables)
    const frame = await this.receive()
    if (frame?.type === 'error') return frame.payload
    const complete = await this.receive()
    if (frame?.type !== 'next' || complete?.type !== 'complete' || complete.id !== id) {
      throw new Error(`expected one result of ${id}, and got ${JSON.stringify([frame, complete])}`)
    }
    return frame.payload
  }
}
