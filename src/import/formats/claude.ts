import { Fault } from '../fault.ts'
import type { Format, ReadMessage } from '../told/conversation.ts'
import { idOf } from '../told/made-id.ts'
import { keepRest } from '../told/metadata.ts'
import { isRecord, textOf } from '../told/record.ts'
import { takeTime } from '../told/time.ts'
import type { Told } from '../told/told.ts'
import { readClaudeMessage } from './claude-message.ts'

/**
 * A conversation of Claude's export, `conversations.json`. Its messages may name the message before them; the first one
 * names a message that does not exist. Anthropic documents no schema; this is what exports had until 2026-11.
 */
export const claude: Format = {
  name: 'claude',
  fits: (value) => isRecord(value) && Array.isArray(value.chat_messages),
  read(value, told) {
    if (!isRecord(value) || !Array.isArray(value.chat_messages)) {
      throw new Fault('must be a JSON object with "chat_messages".')
    }
    const { uuid, name, chat_messages: list, current_leaf_message_uuid: leaf, ...others } = value
    const { time, rest } = takeTime(others, 'created_at')
    const { messages, keptAs } = readMessages(list, told)
    return {
      id: idOf(uuid, value),
      title: textOf(name),
      time,
      metadata: keepRest('claude', rest, told),
      messages,
      leaf: keptAs.get(String(leaf)) ?? null,
    }
  },
}

/**
 * Reads the messages, each after the one that it continues. A message that names no other continues the message before
 * it in the list.
 *
 * @returns the messages, and for each uuid the client id with which its message ends
 */
function readMessages(
  list: readonly unknown[],
  told: Told,
): { messages: ReadMessage[]; keptAs: Map<string, string | null> } {
  const messages: ReadMessage[] = []
  const keptAs = new Map<string, string | null>()
  const uuids = list.map((message, index) => uuidOf(message) ?? `import:${index}`)
  const places = new Map(uuids.map((uuid, index) => [uuid, index]))
  const parents = list.map((message, index) => {
    const parent = isRecord(message) ? textOf(message.parent_message_uuid) : null
    if (parent === null) return index - 1
    return places.get(parent) ?? -1
  })
  const readAt = (index: number) => {
    const parent = keptAs.get(uuids[parents[index] ?? -1] ?? '') ?? null
    const uuid = uuids[index] ?? ''
    keptAs.set(uuid, parent)
    told.attempt(`chat_messages[${index}]`, () => {
      const message = list[index]
      if (message instanceof Fault) throw message
      for (const [at, read] of readClaudeMessage(uuid, message, told).entries()) {
        const clientId = at === 0 ? uuid : `${uuid}:${at}`
        messages.push({ ...read, place: `chat_messages[${index}]`, clientId, parent: keptAs.get(uuid) ?? null })
        keptAs.set(uuid, clientId)
      }
    })
  }
  for (const index of inOrder(parents)) readAt(index)
  return { messages, keptAs }
}

function uuidOf(message: unknown): string | null {
  return isRecord(message) ? textOf(message.uuid) : null
}

/** The indexes of the list, each after that of its parent; those of a circle come where the list has them. */
function inOrder(parents: readonly number[]): Set<number> {
  const order = new Set<number>()
  for (const index of parents.keys()) {
    const path: number[] = []
    const seen = new Set<number>()
    for (let at = index; at >= 0 && !order.has(at) && !seen.has(at); at = parents[at] ?? -1) {
      path.push(at)
      seen.add(at)
    }
    for (const at of path.reverse()) order.add(at)
  }
  return order
}
