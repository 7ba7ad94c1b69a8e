/** The package's entrance for the AI SDK, `@colloquy/client/ai-sdk`; of `ai` itself it takes the types alone. */
import type { ModelMessage, SystemModelMessage, UIMessage } from 'ai'
import { foreignId, toInput, toUIMessages } from './ai-sdk-message.ts'
import { type ContextLimits, type ContextWindow, readContext } from './context-window.ts'
import { asJson, isSameJson } from './json.ts'
import { inBatches, type MessageInput } from './message-input.ts'
import { type Ask, type RequestOptions, withConnection } from './request.ts'
import { readMessages } from './stored-message.ts'

export interface ChatOptions extends RequestOptions {
  /** Comes to be when the first messages are saved. */
  readonly conversationId: string
}

export interface SaveOptions<Message extends UIMessage> extends ChatOptions {
  /** The whole chat, as `onFinish` of `toUIMessageStream` gives it. */
  readonly messages: readonly Message[]
  /**
   * What `loadChat` answered before: spares reading it again. Those of its messages that are missing in `messages` are
   * deleted, as after the user changed a question, or asked for another answer; without it nothing is deleted.
   */
  readonly previous?: readonly Message[]
}

/** The messages of a chat, oldest first; none while it is not there. Those that are still streaming are left out. */
export async function loadChat<Message extends UIMessage = UIMessage>(options: ChatOptions): Promise<Message[]> {
  return withConnection(options, (ask) => load<Message>(ask, options.conversationId))
}

/**
 * Saves a chat; what has not changed is not written. A message's id is its client id, so saving the same again, also after
 * a call of unknown outcome, changes nothing.
 *
 * @throws RangeError when a new message stands before one that is saved: a conversation grows at its end
 */
export async function saveChat<Message extends UIMessage>(options: SaveOptions<Message>): Promise<void> {
  const { conversationId, messages, previous } = options
  await withConnection(options, async (ask) => {
    const saved = previous ?? (await load<Message>(ask, conversationId))
    requireOrder(messages, saved)
    const known = new Map(saved.map((message) => [message.id, asJson(message)]))
    const changed = messages.filter((message) => !isSameJson(asJson(message), known.get(message.id)))
    const kept = new Set(messages.map(({ id }) => id))
    // What is new is there before what it takes the place of is gone.
    await write(ask, conversationId, changed.map(toInput))
    for (const { id } of previous ?? []) {
      if (!kept.has(id)) await ask(remove, { input: addressOf(conversationId, id) })
    }
  })
}

/** For `generateText` and `streamText`. */
export interface ModelWindow extends Omit<ContextWindow<ModelMessage>, 'system'> {
  readonly instructions?: SystemModelMessage[]
}

/**
 * What a model needs to go on with a chat, whoever has stored it: the newest whole turns that fit; null when it is missing.
 *
 * @throws RequestError BAD_USER_INPUT, reason CONTEXT_TOO_SMALL, when not even the newest turn does
 */
export async function readModelMessages(options: ChatOptions & ContextLimits): Promise<ModelWindow | null> {
  const window = await readContext<ModelMessage>({ ...options, format: 'AI_SDK_MODEL' })
  if (window === null) return null
  const { system, ...rest } = window
  return system === null ? rest : { ...rest, instructions: system as SystemModelMessage[] }
}

async function load<Message extends UIMessage>(ask: Ask, conversationId: string): Promise<Message[]> {
  return toUIMessages<Message>(await readMessages(ask, conversationId))
}

function requireOrder(messages: readonly UIMessage[], saved: readonly UIMessage[]): void {
  const places = new Map(saved.map(({ id }, place) => [id, place]))
  let last = -1
  for (const { id } of messages) {
    const place = places.get(id) ?? saved.length
    if (place < last) throw new RangeError(`Message ${id} is saved, and cannot stand after what comes later or is new.`)
    last = place
  }
}

async function write(ask: Ask, conversationId: string, inputs: readonly MessageInput[]): Promise<void> {
  for (const { clientId, parts, partsFormat, metadata } of inputs.filter(isForeign)) {
    const address = addressOf(conversationId, clientId as string)
    await ask(edit, { input: { ...address, parts, partsFormat, metadata } })
  }
  for (const messages of inBatches(inputs.filter((input) => !isForeign(input)))) {
    const input = { conversationId, ifMissing: 'CREATE', onExisting: 'REPLACE', messages }
    const { appendMessages } = (await ask(append, { input })) as { appendMessages: { messages: Saved[] } }
    const gone = appendMessages.messages.find(({ deletedAt }) => deletedAt !== null)
    if (gone !== undefined) throw new RangeError(`Message ${gone.clientId} was deleted; its id is not used again.`)
  }
}

interface Saved {
  readonly clientId: string
  readonly deletedAt: string | null
}

function isForeign({ clientId }: MessageInput): boolean {
  return clientId?.startsWith(foreignId) === true
}

function addressOf(conversationId: string, id: string): Record<string, string> {
  return id.startsWith(foreignId) ? { messageId: id.slice(foreignId.length) } : { conversationId, clientId: id }
}

const append = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) {
  messages { clientId deletedAt }
} }`
const edit = `mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { id } } }`
const remove = `mutation ($input: DeleteMessageInput!) { deleteMessage(input: $input) { message { id } } }`
