import { ApolloClient } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { resumable } from '@colloquy/client'
import { type Client, createClient } from 'graphql-ws'
import type { SignedIn } from '../sign-in/sign-in.ts'
import { createCache } from './cache.ts'
import { Line } from './line.ts'
import { readSettings, type Settings } from './settings.ts'

/** One user at one server: everything goes over one socket. */
export interface Session {
  readonly settings: Settings
  /** null: the page itself signs nobody in. */
  readonly signedIn: SignedIn | null
  /** Keeps apart what this browser keeps of several users. */
  readonly owner: string
  readonly socket: Client
  readonly apollo: ApolloClient
  readonly line: Line
}

/** In milliseconds. */
const pingEvery = 10_000
const longestSilence = 5_000
const longestWait = 5_000

/** @param user in development, who somebody says to be */
export function openSession(settings: Settings, signedIn: SignedIn | null, user: string): Session {
  const line = new Line()
  let silence: ReturnType<typeof setTimeout> | undefined
  const client = createClient({
    url: new URL('graphql', document.baseURI.split('#')[0]).href.replace(/^http/, 'ws'),
    connectionParams: async (): Promise<Record<string, unknown>> => {
      const token = await (signedIn?.readToken() ?? (settings.tokenUrl === null ? null : readToken(settings.tokenUrl)))
      return token === null ? { 'x-user-id': user } : { authorization: `Bearer ${token}` }
    },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (retries) => line.wait(Math.random() * Math.min(longestWait, 250 * 2 ** retries)),
    keepAlive: pingEvery,
    // Whoever only asks now and then, as the console does, keeps the connection.
    lazyCloseTimeout: pingEvery,
    on: {
      connected: () => {
        line.become('open')
        // The server may be another one by now, whose assistant does not listen yet.
        if (settings.assistant !== null) readSettings(user).catch(() => {})
      },
      closed: () => {
        clearTimeout(silence)
        line.become('closed')
      },
      ping: (isReceived) => {
        if (!isReceived) silence = setTimeout(() => client.terminate(), longestSilence)
      },
      pong: () => clearTimeout(silence),
    },
  })
  line.onLost = () => client.terminate()
  const socket = resumable(client)
  const apollo = new ApolloClient({ link: new GraphQLWsLink(socket), cache: createCache() })
  const owner = signedIn?.subject ?? (settings.isOpen ? user : 'me')
  return { settings, signedIn, owner, socket, apollo, line }
}

/** The endpoint knows who asks by its cookies. It answers the token as text, or as JSON with a `token`. */
async function readToken(url: string): Promise<string> {
  const response = await fetch(url, { credentials: 'include', headers: { accept: 'application/json, text/plain' } })
  if (!response.ok) throw new Error(`There is no token for you: ${url} answers ${response.status}.`)
  const text = await response.text()
  return text.startsWith('{') ? (JSON.parse(text) as { token: string }).token : text.trim()
}
