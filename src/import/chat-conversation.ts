import { findInexactness } from '../server/request/exact-json.ts'
import { type ChatMessageInput, Fault, isRecord, readChatMessage } from './chat-message.ts'

/** A conversation of the file, as the API takes it. */
export interface ChatConversation {
  readonly id: string
  readonly messages: readonly ChatMessageInput[]
}

/** @throws Fault if something in the line would be lost or changed on its way */
export function readChatConversation(line: string): ChatConversation {
  const value = parse(line)
  if (!isRecord(value)) throw new Fault('must be a JSON object with "id" and "messages".')
  const { id, messages, ...rest } = value
  if (typeof id !== 'string' || id === '') throw new Fault('"id" must be a text that is not empty.')
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new Fault('"messages" must be a list with at least one message.', id)
  }
  const [other] = Object.keys(rest)
  if (other !== undefined)
    throw new Fault(`has the field ${JSON.stringify(other)}, but only "id" and "messages" are imported.`, id)
  return { id, messages: messages.map((message, index) => readMessageOf(id, index, message)) }
}

function readMessageOf(id: string, index: number, message: unknown): ChatMessageInput {
  try {
    return readChatMessage(message, index)
  } catch (error) {
    throw error instanceof Fault ? new Fault(`messages[${index}]${error.message}`, id) : error
  }
}

function parse(line: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new Fault('must be JSON.')
  }
  // The server has this rule too. It is checked here because the text has already changed when the server sees it.
  const inexact = findInexactness(line, value)
  if (inexact !== null) throw new Fault(inexact)
  return value
}
