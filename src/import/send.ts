import { type Client, Refusal } from './client.ts'
import { Fault, tooDeep } from './fault.ts'
import type { ReadConversation, ReadMessage } from './told/conversation.ts'
import { withTimes } from './told/with-times.ts'

/** The most messages that the API takes at once. */
const longestBatch = 100
/** Bytes of JSON in one batch, well below what the server accepts. */
const largestBatch = 2 * 1024 * 1024

export interface Sending {
  /** Some messages are stored. */
  stored(replayed: readonly boolean[]): void
  /** The server refused a message, the title or the metadata; the rest goes on. */
  refused(fault: Fault): void
}

/**
 * Sends a conversation: batches of its messages in order, and then its active leaf. A message that the server refuses is
 * left out, and what continues it continues the message above it instead.
 *
 * @throws Fault if the rest of the conversation cannot be stored; Unreachable
 */
export async function send(client: Client, read: ReadConversation, sending: Sending): Promise<void> {
  const conversation = client.mayBringTimes ? withTimes(read) : read
  const { id, messages, leaf } = conversation
  await create(client, conversation, sending)
  const sent = new SentMessages(id, client.mayBringTimes ? 'createdAt' : 'sentAt')
  let isAnyNew = false
  const leaveOut = (message: ReadMessage, fault: Fault) => {
    sent.leaveOut(message)
    sending.refused(fault)
  }
  for (const batch of batchesOf(messages, leaveOut)) {
    for (let left = batch; left.length > 0; ) {
      const outcome = await append(client, id, sent, left)
      if (outcome.refused === undefined) {
        sending.stored(outcome.replayed)
        isAnyNew ||= outcome.replayed.includes(false)
        break
      }
      leaveOut(outcome.refused, outcome.fault)
      left = left.filter((message) => message !== outcome.refused)
    }
  }
  const chosen = leaf === null ? null : sent.idOf(leaf)
  // A leaf that somebody chose since an earlier import stays.
  if (isAnyNew && chosen !== null && chosen !== sent.lastId) await orFault(client.setLeaf(chosen))
}

type Outcome =
  | { readonly replayed: readonly boolean[]; readonly refused?: never }
  | { readonly refused: ReadMessage; readonly fault: Fault }

async function append(
  client: Client,
  conversationId: string,
  sent: SentMessages,
  batch: readonly ReadMessage[],
): Promise<Outcome> {
  try {
    const { replayed, messages } = await client.append(
      conversationId,
      batch.map((message) => sent.inputOf(message)),
    )
    sent.add(batch, messages)
    return { replayed }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const refused = error.code === 'CONFLICT' ? undefined : findRefused(error, batch)
    if (refused === undefined) throw faultOf(error, batch)
    return { refused, fault: faultOf(error, batch) }
  }
}

/** The messages that were sent, and the parents that later ones name. */
class SentMessages {
  readonly #conversationId: string
  readonly #timeField: 'createdAt' | 'sentAt'
  /** The id that the server gave to each client id. */
  readonly #ids = new Map<string, string>()
  /** What takes the place of a message that was left out. */
  readonly #instead = new Map<string, string | null>()
  #lastId: string | null = null

  constructor(conversationId: string, timeField: 'createdAt' | 'sentAt') {
    this.#conversationId = conversationId
    this.#timeField = timeField
  }

  /** The id of the message that was sent last. */
  get lastId(): string | null {
    return this.#lastId
  }

  /** The server's id of a message, or of the message that took its place; null: there is none. */
  idOf(clientId: string): string | null {
    return this.#ids.get(this.#keptAs(clientId) ?? '') ?? null
  }

  inputOf({ clientId, parent, time, input }: ReadMessage): object {
    return { ...input, clientId, ...(time === null ? {} : { [this.#timeField]: time }), ...this.#parentOf(parent) }
  }

  add(batch: readonly ReadMessage[], stored: readonly { readonly id: string }[]): void {
    for (const [index, { clientId }] of batch.entries()) {
      const id = stored[index]?.id
      if (id === undefined) continue
      this.#ids.set(clientId, id)
      this.#lastId = id
    }
  }

  leaveOut({ clientId, parent = null }: ReadMessage): void {
    this.#instead.set(clientId, parent)
  }

  /**
   * In a conversation with branches every message names its parent. So it has the same payload, and the same place,
   * whatever was stored before it.
   */
  #parentOf(parent: string | null | undefined): object {
    if (parent === undefined) return {}
    const kept = parent === null ? null : this.#keptAs(parent)
    return kept === null ? { parentId: this.#conversationId } : { parentClientId: kept }
  }

  /** The client id of a message, or of the message that took its place; null: there is none. */
  #keptAs(clientId: string): string | null {
    let kept: string | null = clientId
    while (kept !== null && this.#instead.has(kept)) kept = this.#instead.get(kept) ?? null
    return kept
  }
}

function* batchesOf(
  messages: readonly ReadMessage[],
  leaveOut: (message: ReadMessage, fault: Fault) => void,
): Generator<ReadMessage[]> {
  let batch: ReadMessage[] = []
  let bytes = 0
  for (const message of messages) {
    const own = sizeOf(message)
    if (own instanceof Fault) {
      leaveOut(message, own)
      continue
    }
    const isFull = batch.length === longestBatch || bytes + own > largestBatch
    if (batch.length > 0 && isFull) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(message)
    bytes += own
  }
  if (batch.length > 0) yield batch
}

/** Bytes of JSON. */
function sizeOf(message: ReadMessage): number | Fault {
  try {
    return Buffer.byteLength(JSON.stringify(message))
  } catch (error) {
    const { message: sentence, reason } = tooDeep(error)
    return new Fault(message.place + sentence, reason)
  }
}

/**
 * Creates the conversation, without its title or its metadata if the server refuses them. A conversation that has
 * nothing of its own is created by its first message.
 */
async function create(
  client: Client,
  { id, title, time, metadata }: ReadConversation,
  sending: Sending,
): Promise<void> {
  const about: Record<string, unknown> = {
    ...(time === null || !client.mayBringTimes ? {} : { createdAt: time }),
    ...(title === null ? {} : { title }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  }
  while (Object.keys(about).length > 0) {
    try {
      return await client.create({ id, ...about })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const [, refused = ''] = /\binput\.(title|metadata)\b/.exec(error.message) ?? []
      if (!(refused in about)) throw faultOf(error, [])
      delete about[refused]
      sending.refused(faultOf(error, []))
    }
  }
}

async function orFault(answer: Promise<void>): Promise<void> {
  try {
    await answer
  } catch (error) {
    throw error instanceof Refusal ? faultOf(error, []) : error
  }
}

/** The message of a batch that the server names, or the only one; undefined: the refusal is about something else. */
function findRefused({ message }: Refusal, batch: readonly ReadMessage[]): ReadMessage | undefined {
  const named = /\binput\.messages\[(\d+)\]/.exec(message)?.[1]
  if (named !== undefined) return batch[Number(named)]
  return batch.length === 1 && !/\binput\.conversationId\b/.test(message) ? batch[0] : undefined
}

/** What the server says, in words of the file. */
function faultOf(refusal: Refusal, batch: readonly ReadMessage[]): Fault {
  const { code, message } = refusal
  const taken =
    code === 'CONFLICT' ? batch.find(({ clientId }) => message.includes(JSON.stringify(clientId))) : undefined
  if (taken !== undefined) {
    return new Fault(
      `${taken.place}: is stored already, with another content; the import of this conversation ends here.`,
      'in a conversation that is stored already, with another content',
    )
  }
  const sentence = message
    .replace(/^input\.(conversationId|id)\b/, '"id"')
    .replace(/^input\.(title|metadata)\b/, '"$1"')
    .replace(/\binput\.messages\[(\d+)\]/g, (path, index: string) => batch[Number(index)]?.place ?? path)
  return new Fault(sentence, code === 'PAYLOAD_TOO_LARGE' ? 'too large for the server' : 'refused by the server')
}
