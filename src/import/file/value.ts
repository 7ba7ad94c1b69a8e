import { findInexactness } from '../../server/request/exact-json.ts'
import { Fault } from '../fault.ts'
import { type Member, membersOf, parseJson } from '../told/json-text.ts'
import { isRecord } from '../told/record.ts'

/** Parses the text of a conversation. @throws Fault */
export function parseConversation(text: string): unknown {
  const value = parseJson(text)
  if (value === undefined) throw new Fault('must be JSON.', 'not JSON')
  return value
}

/**
 * The server refuses a text whose value would differ from it. That is checked here too, because the text has already
 * changed when the server sees it. If this concerns one message, a Fault is put in its place, and the other messages are
 * whole.
 *
 * @param value of this text
 * @throws Fault
 */
export function requireExact(text: string, value: unknown): void {
  const inexact = findInexactness(text, value)
  if (inexact === null) return
  const list = findList(text, value)
  if (list === null) throw changed(inexact)
  const rest = `${text.slice(0, list.member.from)}null${text.slice(list.member.to)}`
  const inexactRest = findInexactness(rest, JSON.parse(rest))
  if (inexactRest !== null) throw changed(inexactRest)
  for (const [index, { key, text: one }] of membersOf(list.member.text).entries()) {
    const inexactOne = findInexactness(one, JSON.parse(one))
    if (inexactOne === null) continue
    const fault = changed(`: ${inexactOne}`)
    if (Array.isArray(list.value)) list.value[index] = fault
    else if (key !== null && isRecord(list.value)) list.value[key] = faultyNode(list.value[key], fault)
  }
}

/** A node of ChatGPT's tree keeps its place, with a fault instead of its message. */
function faultyNode(node: unknown, message: Fault): unknown {
  return isRecord(node) ? { parent: node.parent, children: node.children, message } : message
}

function changed(sentence: string): Fault {
  return new Fault(sentence, 'nested too deeply, or with numbers or keys that JSON.parse changes')
}

const lists = ['messages', 'chat_messages', 'conversations', 'conversation', 'items', 'mapping']

/** The messages of a conversation: where they stand in the text, and their values. */
function findList(text: string, value: unknown): { readonly member: Member; readonly value: unknown } | null {
  if (Array.isArray(value)) return { member: { key: null, from: 0, to: text.length, text: text.trim() }, value }
  if (!isRecord(value)) return null
  const members = membersOf(text)
  for (const name of lists) {
    const found = members.filter(({ key }) => key === name)
    const [member] = found
    if (member !== undefined && found.length === 1 && typeof value[name] === 'object' && value[name] !== null) {
      return { member, value: value[name] }
    }
  }
  return null
}
