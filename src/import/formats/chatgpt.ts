import { Fault } from '../fault.ts'
import type { Format, ReadMessage } from '../told/conversation.ts'
import { idOf } from '../told/made-id.ts'
import { keepRest } from '../told/metadata.ts'
import { isRecord, type JsonRecord, textOf } from '../told/record.ts'
import { takeTime } from '../told/time.ts'
import type { Told } from '../told/told.ts'
import { type ChatGptMessage, type LastCall, readChatGptMessage } from './chatgpt-message.ts'

/**
 * A conversation of ChatGPT's export, `conversations.json`: a tree of nodes, and the node that ends the path that people
 * see. OpenAI documents no schema; this is what exports had until 2026-11.
 */
export const chatGpt: Format = {
  name: 'chatgpt',
  fits: (value) => isRecord(value) && isRecord(value.mapping),
  read(value, told) {
    if (!isRecord(value) || !isRecord(value.mapping)) throw new Fault('must be a JSON object with "mapping".')
    const { id, conversation_id: conversationId, title, mapping, current_node: current, ...others } = value
    const { time, rest } = takeTime(others, 'create_time')
    const { messages, keptAs } = readTree(mapping as JsonRecord, told)
    return {
      id: idOf(conversationId ?? id, value),
      title: textOf(title),
      time,
      metadata: keepRest('chatgpt', rest, told),
      messages,
      leaf: keptAs.get(String(current)) ?? null,
    }
  },
}

interface Step {
  readonly node: string
  /** The client id of the nearest message above that is kept. */
  readonly parent: string | null
  readonly call: LastCall | null
}

/**
 * Reads the nodes from the roots to the leaves. A node that is left out leaves its children to the node above it.
 *
 * @returns the messages, and for each node the client id of the nearest message that is kept, from itself upwards
 */
function readTree(mapping: JsonRecord, told: Told): { messages: ReadMessage[]; keptAs: Map<string, string | null> } {
  const messages: ReadMessage[] = []
  const keptAs = new Map<string, string | null>()
  const children = childrenOf(mapping)
  const steps: Step[] = (children.get(null) ?? []).map((node) => ({ node, parent: null, call: null })).reverse()
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { node, parent, call } = step
    const read = readNode(node, mapping[node], call, told)
    const kept = read === null ? parent : node
    if (read !== null) messages.push({ place: placeOf(node), clientId: node, parent, ...read.message })
    keptAs.set(node, kept)
    const below = (children.get(node) ?? []).map(
      (child): Step => ({ node: child, parent: kept, call: read?.call ?? call }),
    )
    steps.push(...below.reverse())
  }
  for (const node of Object.keys(mapping)) {
    if (keptAs.has(node)) continue
    told.attempt(placeOf(node), () => {
      throw new Fault(': is its own ancestor, so it has no place in the tree.')
    })
  }
  return { messages, keptAs }
}

function placeOf(node: string): string {
  return `mapping[${JSON.stringify(node)}]`
}

/** The children of each node, in the order of the node above; null: the nodes that are below none. */
function childrenOf(mapping: JsonRecord): Map<string | null, string[]> {
  const children = new Map<string | null, string[]>()
  for (const [id, node] of Object.entries(mapping)) {
    const named = isRecord(node) ? textOf(node.parent) : null
    const parent = named !== null && Object.hasOwn(mapping, named) ? named : null
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [id])
    else siblings.push(id)
  }
  for (const [parent, ids] of children) {
    const node = parent === null ? null : mapping[parent]
    const order = isRecord(node) && Array.isArray(node.children) ? node.children : []
    const rank = new Map(order.map((id, index) => [id, index]))
    ids.sort((a, b) => (rank.get(a) ?? order.length) - (rank.get(b) ?? order.length))
  }
  return children
}

/** null: the node is left out, and that is told. The node of a root has no message, and nothing of it is lost. */
function readNode(id: string, node: unknown, call: LastCall | null, told: Told): ChatGptMessage | null {
  let read: ChatGptMessage | null = null
  told.attempt(placeOf(id), () => {
    if (node instanceof Fault) throw node
    if (!isRecord(node)) throw new Fault(': must be an object.')
    if (node.message instanceof Fault) throw node.message
    if (node.message !== null && node.message !== undefined) read = readChatGptMessage(id, node.message, call, told)
  })
  return read
}
