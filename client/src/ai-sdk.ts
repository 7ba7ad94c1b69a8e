/** The package's entrance for the AI SDK, `@colloquy/client/ai-sdk`; of `ai` itself it takes the types alone. */
import type { ModelMessage, SystemModelMessage, UIMessage } from 'ai'
import { type Ask, RequestError, type RequestOptions, withConnection } from './connection/request.ts'
import { type ContextLimits, type ContextWindow, readContext } from './message/context-window.ts'
import { asJson } from './message/json.ts'
import { inBatches } from './message/message-batch.ts'
import { readActivePath, readAllBranches } from './message/message-page.ts'
import type { MessageInput } from './schema/types.ts'
import { type Changes, changesOf } from './sdk/ai-sdk-branch.ts'
import { toUIMessages } from './sdk/ai-sdk-message.ts'

export interface ChatOptions extends RequestOptions {
  /** Comes to be when the first messages are saved. */
  readonly conversationId: string
}

export interface SaveOptions<Message extends UIMessage> extends ChatOptions {
  /**
   * The chat, as `onEnd` of `toUIMessageStream` gives it, or the end of it. What is missing in it stays as it is: the client
   * may not have seen it.
   */
  readonly messages: readonly Message[]
}

/**
 * The messages of a chat's active path, oldest first; none while it is not there. Those that are still streaming are left
 * out.
 */
export async function loadChat<Message extends UIMessage = UIMessage>(options: ChatOptions): Promise<Message[]> {
  return withConnection(options, async (ask) =>
    toUIMessages<Message>(await readActivePath(ask, options.conversationId)),
  )
}

/**
 * Saves what is new in a chat, and deletes nothing. A message's id is its client id, so saving the same again, also after a
 * call of unknown outcome, changes nothing. New messages continue the last saved one of the list: where other messages
 * continue it already, the new ones are a branch beside them, and the active one.
 *
 * @throws RangeError when a new message stands before a saved one, or the last saved one was deleted and no question follows
 * it; TypeError for what JSON cannot hold
 */
export async function saveChat<Message extends UIMessage>(options: SaveOptions<Message>): Promise<void> {
  const { conversationId } = options
  const messages = options.messages.map((message) => asJson(message) as UIMessage)
  await withConnection(options, async (ask) => {
    for (let attempt = 1; ; attempt++) {
      const stored = await readAllBranches(ask, conversationId)
      try {
        return await write(ask, conversationId, changesOf(stored, messages))
      } catch (error) {
        if (attempt === maxAttempts || !isConflict(error)) throw error
      }
    }
  })
}

/** Each that fails means that somebody else has saved in between. */
const maxAttempts = 10

function isConflict(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'CONFLICT'
}

/** For `generateText` and `streamText`. */
export interface ModelWindow extends Omit<ContextWindow<ModelMessage>, 'system'> {
  readonly instructions?: SystemModelMessage[]
}

/**
 * What a model needs to go on with a chat, whoever has stored it: the newest whole turns that fit; null when it is missing.
 * Calls that wait stay as they are, unless `pendingCalls` says otherwise: the SDK runs those that people have allowed.
 *
 * @throws RequestError BAD_USER_INPUT, reason CONTEXT_TOO_SMALL, when not even the newest turn does
 */
export async function readModelMessages(options: ChatOptions & ContextLimits): Promise<ModelWindow | null> {
  const window = await readContext<ModelMessage>({ pendingCalls: 'KEEP', ...options, format: 'AI_SDK_MODEL' })
  if (window === null) return null
  const { system, ...rest } = window
  return system === null ? rest : { ...rest, instructions: system as SystemModelMessage[] }
}

async function write(ask: Ask, conversationId: string, { later, added }: Changes): Promise<void> {
  for (const { stored, input } of later) {
    const { parts, partsFormat, metadata } = input
    await ask(edit, { input: { messageId: stored.id, ifRevision: stored.revision, parts, partsFormat, metadata } })
  }
  let before: Pick<MessageInput, 'parentClientId'> = {}
  for (const [first, ...others] of inBatches(added)) {
    const messages = [{ ...first, ...before }, ...others]
    await ask(append, { input: { conversationId, ifMissing: 'CREATE', messages } })
    before = { parentClientId: messages.at(-1)?.clientId ?? null }
  }
}

const append = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { conversation { lastSeq } } }`
const edit = `mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { id } } }`
