import { type Client, type ClientBase, Connection } from 'pg'

/**
 * Asks PostgreSQL to cancel what a session runs, by a request of the protocol on a connection of its own
 * (https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS). A pooler sends it on to
 * whatever session it lent; a statement with a process id, as `pg_cancel_backend`, would meet another one there.
 *
 * @param longestMs after which the request is given up
 * @returns whether the request is through: what the session is asked from now on cannot be cancelled by it
 */
export function cancel(client: ClientBase, longestMs: number): Promise<boolean> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as Session
  const wire = new Connection({ ssl, sslNegotiation } as object) as unknown as Wire
  return new Promise((resolve) => {
    let isSent = false
    const send = () => {
      wire.cancel(processID, secretKey)
      isSent = true
    }
    const timer = setTimeout(() => wire.stream.destroy(new Error('the cancel request took too long')), longestMs)
    wire.on('connect', ssl ? () => wire.requestSsl() : send)
    wire.on('sslconnect', send)
    wire.on('error', () => {
      isSent = false
    })
    // PostgreSQL closes the connection once it has passed the request on.
    wire.on('end', () => {
      clearTimeout(timer)
      resolve(isSent)
    })
    if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`)
    else wire.connect(port, host)
  })
}

/** What pg's client has, beyond its published type. */
interface Session extends Client {
  readonly sslNegotiation: string
  readonly processID: number
  readonly secretKey: number
}

/** What pg's connection has, beyond its published type. */
interface Wire extends Connection {
  connect(portOrPath: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
}
