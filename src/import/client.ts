import { setTimeout as delay } from 'node:timers/promises'
import type { Settings } from './settings.ts'

/** The server refused what was sent. It may accept another message. */
export class Refusal extends Error {
  readonly code: string

  constructor(code: string, sentence: string) {
    super(sentence)
    this.code = code
  }
}

/** The server cannot be reached, or does not accept this caller: it would store nothing. */
export class Unreachable extends Error {}

/** Milliseconds for one attempt: longer than a server with default settings tries by itself. */
const longestAttempt = 60_000
/** Milliseconds of the first pause between attempts. Each next pause is twice as long, up to `longestPause`. */
const firstPause = 100
const longestPause = 5_000
/** Milliseconds, however long the server says. */
const longestAsked = 60_000

/** A mutation whose repetition changes nothing, and the field that it answers. */
interface Operation {
  readonly field: string
  readonly query: string
}

function operation(field: string, input: string, selection: string): Operation {
  return { field, query: `mutation Import($input: ${input}!) { ${field}(input: $input) { ${selection} } }` }
}

const createConversation = operation('createConversation', 'CreateConversationInput', 'created')
const appendMessages = operation('appendMessages', 'AppendMessagesInput', 'replayed messages { id }')
const setActiveLeaf = operation('setActiveLeaf', 'SetActiveLeafInput', 'message { id }')

/** What `appendMessages` answers. */
export interface Appended {
  /** For each message: whether it was stored before. */
  readonly replayed: readonly boolean[]
  readonly messages: readonly { readonly id: string }[]
}

/**
 * Asks the server for nothing, so that a wrong address is known before the file is read.
 *
 * @throws Unreachable if nothing answers there
 */
export async function requireServer({ url, headers, waitsForStart }: Settings): Promise<void> {
  if (waitsForStart) return
  const body = JSON.stringify({ query: '{ __typename }' })
  await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(longestAttempt / 6),
  }).catch((error) => {
    throw new Unreachable(
      `There is no server at ${url} (${reasonOf(error)}). ` +
        'Start one with `colloquy start` (in a clone `npm start`), or name yours in COLLOQUY_URL.',
    )
  })
}

/**
 * The mutations that an import needs. Each tries again while the server is away: client ids, `ifExists: RETURN` and a
 * leaf that is named make that safe. All of them throw Refusal and Unreachable.
 */
export class Client {
  readonly #settings: Settings
  readonly #signal: AbortSignal

  constructor(settings: Settings, signal: AbortSignal) {
    this.#settings = settings
    this.#signal = signal
  }

  /** Whether the server lets this caller say when something was created. With a bearer token it does not. */
  get mayBringTimes(): boolean {
    return this.#settings.headers.authorization === undefined
  }

  /** Creates the conversation, or leaves the one that has its id as it is. */
  async create(input: { readonly id: string } & Record<string, unknown>): Promise<void> {
    await this.#ask(createConversation, { ...input, ifExists: 'RETURN' })
  }

  /** Appends messages that have client ids, and creates the conversation if it is missing. */
  append(conversationId: string, messages: readonly object[]): Promise<Appended> {
    return this.#ask(appendMessages, { conversationId, ifMissing: 'CREATE', messages })
  }

  async setLeaf(messageId: string): Promise<void> {
    await this.#ask(setActiveLeaf, { messageId, keepPlace: true })
  }

  async #ask<Payload>({ field, query }: Operation, input: object): Promise<Payload> {
    const body = JSON.stringify({ query, operationName: 'Import', variables: { input } })
    const deadline = Date.now() + this.#settings.retryMs
    for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
      const outcome = await attempt(this.#settings, field, body, this.#signal)
      if ('payload' in outcome) return outcome.payload as Payload
      const asked = Math.min(longestAsked, outcome.retryAfterMs)
      if (Date.now() + asked + pause > deadline) {
        throw new Unreachable(`The server at ${this.#settings.url} is away: ${outcome.away}.`)
      }
      // The pauses differ, so that requests that failed together do not come back together.
      await delay(asked + pause * (0.5 + Math.random() / 2), undefined, { signal: this.#signal })
    }
  }
}

type Outcome = { readonly payload: object } | Away

interface Away {
  readonly away: string
  /** In how many milliseconds it is worth trying again; 0: the server does not say. */
  readonly retryAfterMs: number
}

interface Answer {
  readonly data?: Readonly<Record<string, object | null>> | null
  readonly errors?: readonly {
    readonly message: string
    readonly extensions?: { readonly code?: string; readonly requestId?: string }
  }[]
}

async function attempt(settings: Settings, field: string, body: string, signal: AbortSignal): Promise<Outcome> {
  let response: Response
  let text: string
  try {
    response = await fetch(settings.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...settings.headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(longestAttempt)]),
    })
    text = await response.text()
  } catch (error) {
    signal.throwIfAborted()
    return { away: reasonOf(error), retryAfterMs: 0 }
  }
  return judge(settings, field, response, text)
}

function judge(settings: Settings, field: string, { status, headers }: Response, text: string): Outcome {
  const away = (reason: string): Away => ({ away: reason, retryAfterMs: readRetryAfter(headers) })
  const { data, errors } = parse(text) ?? {}
  const payload = data?.[field]
  if (payload) return { payload }
  const error = errors?.[0]
  const code = error?.extensions?.code
  if (error === undefined || code === undefined) {
    if (status >= 500 || status === 429) return away(`it answers ${status}`)
    throw new Unreachable(`${settings.url} answers ${status}, and not as a Colloquy server; set COLLOQUY_URL.`)
  }
  if (code === 'UNAVAILABLE' || code === 'RATE_LIMITED') return away(error.message)
  const { requestId } = error.extensions ?? {}
  const sentence = requestId === undefined ? error.message : `${error.message} (${requestId})`
  // The server answers a wrong path with status 404. A conversation that is not found has status 200, as all of
  // GraphQL's answers have.
  if (refusals.has(code) && status !== 404) throw new Refusal(code, sentence)
  throw new Unreachable(`The server at ${settings.url} refuses the import: ${sentence}`)
}

/** The codes of errors that are about what was sent. */
const refusals = new Set([
  'BAD_USER_INPUT',
  'PAYLOAD_TOO_LARGE',
  'COST_LIMIT',
  'CONFLICT',
  'NOT_FOUND',
  'INTERNAL_SERVER_ERROR',
])

/** Seconds, or a date (RFC 9110, 10.2.3). */
function readRetryAfter(headers: Headers): number {
  const given = headers.get('retry-after') ?? '0'
  const ms = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - Date.now()
  return Number.isNaN(ms) ? 0 : Math.max(0, ms)
}

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
