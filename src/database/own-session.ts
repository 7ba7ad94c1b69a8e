import { Client, type ClientConfig } from 'pg'

/** A connection beside the pool. Disposing it ends it, also in the middle of a statement. */
export interface OwnSession extends Client, AsyncDisposable {}

/** @throws the error of pg or of the network */
export async function openSession(config: ClientConfig): Promise<OwnSession> {
  const client = new Client({ application_name: 'colloquy', ...config })
  // An error also fails the statement that it concerns. If it concerns none, there is nobody to tell.
  client.on('error', () => {})
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
