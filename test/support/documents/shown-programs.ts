import { stripTypeScriptTypes } from 'node:module'
import { createClient as createStreamClient } from 'graphql-sse'
import { createClient } from 'graphql-ws'
import {
  applyEvent,
  followConversation,
  messageSelection,
  request,
  resumable,
  streamMessage,
} from '../../../client/src/index.ts'

/** Who the examples and GraphiQL are in development. */
export const local = { 'x-user-id': 'local' }

const end = new Error('shown')

/**
 * Runs programs of a document one after the other, with what they name and do not make, and with the server's address and a user in
 * place of those that are only shown.
 *
 * @param behind what stands behind each of them; `exported` has what it exports
 * @param more what else they name
 * @returns what they showed first; each is ended there
 */
export async function runShown(
  programs: readonly string[],
  server: { readonly url: string },
  behind = '',
  more: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  const shown: string[] = []
  const clients: { dispose(): unknown }[] = []
  const keep = <Client extends { dispose(): unknown }>(client: Client) => {
    clients.push(client)
    return client
  }
  const names = {
    applyEvent,
    followConversation,
    messageSelection,
    request,
    streamMessage,
    createClient: (options: { url: string }) =>
      keep(
        options.url.endsWith('/stream')
          ? createStreamClient(options as Parameters<typeof createStreamClient>[0])
          : createClient(options as Parameters<typeof createClient>[0]),
      ),
    resumable,
    url: `${server.url}/graphql`,
    connectionParams: local,
    freshToken: async () => 'token',
    question: 'And when?',
    content: 'And when?',
    model: Object.assign(() => ['To ', 'morrow.'], { [Symbol.iterator]: () => ['To ', 'morrow.'].values() }),
    show: (messages: readonly { content: string | null }[]) => {
      const content = messages[0]?.content
      if (content === undefined || content === null) return
      shown.push(content)
      throw end
    },
    exported: {},
    ...more,
  }
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  for (const program of programs) {
    const here = stripTypeScriptTypes(`${program}${behind}`)
      .replaceAll(/^import [^']*'[^']*'$/gm, '')
      .replaceAll(/^export const (\w+) =/gm, 'const $1 = exported.$1 =')
      .replaceAll('wss://chat.example', server.url.replace('http', 'ws'))
      .replaceAll('https://chat.example', server.url)
      // In development a user is named where others have a token.
      .replaceAll(/\bauthorization: `Bearer .*?`/g, "'x-user-id': 'local'")
    await new AsyncFunction(...Object.keys(names), here)(...Object.values(names)).catch((error: unknown) => {
      if (error !== end) throw error
    })
  }
  for (const client of clients) await client.dispose()
  return shown
}
