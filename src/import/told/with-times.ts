import type { ReadConversation } from './conversation.ts'

/**
 * The same conversation, in which a message without a time has that of the message that it continues, and those at the
 * beginning have the time of the conversation. Otherwise one message without a time would move the whole conversation to
 * the present. If the file says no time at all, there is none.
 */
export function withTimes(conversation: ReadConversation): ReadConversation {
  const { messages } = conversation
  const first = conversation.time ?? messages.find(({ time }) => time !== null)?.time ?? null
  const times = new Map<string, string | null>()
  let before = first
  const timed = messages.map((message) => {
    const { clientId, parent } = message
    const inherited = parent === undefined ? before : (times.get(parent ?? '') ?? first)
    const time = message.time ?? inherited
    times.set(clientId, time)
    before = time
    return { ...message, time }
  })
  return { ...conversation, time: first, messages: timed }
}
