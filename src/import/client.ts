import { setTimeout as delay } from 'node:timers/promises'
import type { ChatMessageInput } from './chat-message.ts'
import type { Settings } from './settings.ts'

/** The server refused what was sent. It may accept another line. */
export class Refusal extends Error {
  readonly code: string

  constructor(code: string, sentence: string) {
    super(sentence)
    this.code = code
  }
}

/** The server cannot be reached, or does not accept this caller: it would store no line. */
export class Unreachable extends Error {}

/** Milliseconds for one attempt: longer than a server with default settings tries by itself. */
const longestAttempt = 60_000
/** Milliseconds of the first pause between attempts. Each next pause is twice as long, up to `longestPause`. */
const firstPause = 100
const longestPause = 5_000

/**
 * Appends messages that have client ids, and creates the conversation if it is missing. Tries again while the server is
 * away: the client ids make that safe.
 *
 * @returns for each message: whether it was stored before
 * @throws Refusal, Unreachable
 */
export async function append(
  settings: Settings,
  conversationId: string,
  messages: readonly ChatMessageInput[],
  signal: AbortSignal,
): Promise<boolean[]> {
  const variables = { input: { conversationId, ifMissing: 'CREATE', messages } }
  const body = JSON.stringify({ query: mutation, operationName: 'Import', variables })
  const deadline = Date.now() + settings.retryMs
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    const outcome = await attempt(settings, body, signal)
    if ('replayed' in outcome) return outcome.replayed
    if (Date.now() + pause > deadline) {
      throw new Unreachable(`The server at ${settings.url} is away: ${outcome.away}.`)
    }
    // The pauses differ, so that requests that failed together do not come back together.
    await delay(pause * (0.5 + Math.random() / 2), undefined, { signal })
  }
}

const mutation = 'mutation Import($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'

type Outcome = { readonly replayed: boolean[] } | { readonly away: string }

interface Answer {
  readonly data?: { readonly appendMessages?: { readonly replayed: boolean[] } } | null
  readonly errors?: readonly {
    readonly message: string
    readonly extensions?: { readonly code?: string; readonly requestId?: string }
  }[]
}

async function attempt(settings: Settings, body: string, signal: AbortSignal): Promise<Outcome> {
  let status: number
  let text: string
  try {
    const response = await fetch(settings.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...settings.headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(longestAttempt)]),
    })
    status = response.status
    text = await response.text()
  } catch (error) {
    signal.throwIfAborted()
    return { away: reasonOf(error) }
  }
  return judge(settings, status, text)
}

function judge(settings: Settings, status: number, text: string): Outcome {
  const { data, errors } = parse(text) ?? {}
  if (data?.appendMessages) return { replayed: data.appendMessages.replayed }
  const error = errors?.[0]
  const code = error?.extensions?.code
  if (error === undefined || code === undefined) {
    if (status >= 500 || status === 429) return { away: `it answers ${status}` }
    throw new Unreachable(`${settings.url} answers ${status}, and not as a Colloquy server; set COLLOQUY_URL.`)
  }
  if (code === 'UNAVAILABLE' || code === 'RATE_LIMITED') return { away: error.message }
  const { requestId } = error.extensions ?? {}
  const sentence = requestId === undefined ? error.message : `${error.message} (${requestId})`
  // The server answers a wrong path with status 404. A conversation that is not found has status 200, as all of
  // GraphQL's answers have.
  if (refusals.has(code) && status !== 404) throw new Refusal(code, sentence)
  throw new Unreachable(`The server at ${settings.url} refuses the import: ${sentence}`)
}

/** The codes of errors that are about what was sent. */
const refusals = new Set(['BAD_USER_INPUT', 'PAYLOAD_TOO_LARGE', 'CONFLICT', 'NOT_FOUND', 'INTERNAL_SERVER_ERROR'])

function parse(text: string): Answer | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  const { code, message: reason } = (cause ?? {}) as { code?: string; message?: string }
  return code ?? (reason || message)
}
