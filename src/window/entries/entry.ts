import type { ToolCall } from '../../entities/message/tool-call.ts'
import { readParts } from '../dialects/read-parts.ts'
import {
  type ApprovalRequest,
  type Call,
  type Item,
  isOutput,
  type Reply,
  type Said,
  type StepStart,
} from '../items/item.ts'
import type { Counted, Spoken } from '../items/spoken.ts'

/** A piece of a message: one reply, or the items between two replies or steps. */
export type Entry = SaidEntry | ReplyEntry

export interface SaidEntry {
  readonly message: Spoken
  readonly items: readonly (Said | ApprovalRequest)[]
}

export interface ReplyEntry {
  readonly message: Spoken
  readonly reply: Reply
}

/**
 * Reads what a message says, in order. What stands both in its parts and in its fields is read once.
 *
 * @param answers what people answered to its calls
 */
export function readEntries(message: Spoken, answers?: Counted<Spoken>['callAnswers']): Entry[] {
  const entries: Entry[] = []
  let said: (Said | ApprovalRequest)[] = []
  const endEntry = () => {
    if (said.length > 0) entries.push({ message, items: said })
    said = []
  }
  for (const read of readItems(message)) {
    const answered = read.kind === 'call' ? answers?.get(read.callId) : undefined
    const item = answered === undefined ? read : { ...(read as Call), answered }
    if (item.kind === 'step') endEntry()
    else if (item.kind === 'other' && item.answer !== undefined) {
      const { answer } = item
      // The answer stands between the question and what was run then. It ends nothing if the question is elsewhere.
      if (said.some((before) => before.kind === 'call' && before.callId === answer.callId)) endEntry()
      entries.push({ message, reply: answer })
      said.push(item)
    } else if (isReply(item, message)) {
      endEntry()
      entries.push({ message, reply: item })
    } else said.push(item)
  }
  endEntry()
  return entries
}

/** An assistant says the results of hosted calls; in a message of another role they are replies. */
function isReply(item: Exclude<Item, StepStart>, { role }: Pick<Spoken, 'role'>): item is Reply {
  if (item.kind === 'hosted') return item.half === 'result' && role !== 'ASSISTANT'
  return item.kind === 'result' || item.kind === 'approval-response'
}

/** When no part is a text, `content` is the message's text. It comes after the reasoning that the parts begin with. */
function readItems(message: Spoken): Item[] {
  const { role, content } = message
  const items = readParts(message.parts ?? [], message.partsFormat)
  if (content !== null && !items.some(({ kind }) => kind === 'text')) {
    const at = items.findIndex(({ kind }) => kind !== 'reasoning' && kind !== 'step')
    items.splice(at === -1 ? items.length : at, 0, { kind: 'text', text: content, raw: null })
  }
  return role === 'TOOL' ? readToolMessage(message, items) : withToolCalls(items, message.toolCalls)
}

/**
 * A TOOL message is one result, unless its parts are replies. What else its parts say comes last: no model reads it. Its
 * `content` says what its parts say.
 */
function readToolMessage({ role, toolCallId, toolName, toolError }: Spoken, items: readonly Item[]): Item[] {
  const replies = items.filter((item) => item.kind !== 'step' && isReply(item, { role }))
  const output = items.filter(isOutput)
  const named = replies.map((reply) =>
    reply.kind === 'result' && reply.callId === toolCallId
      ? { ...reply, name: reply.name ?? toolName, isError: reply.isError || toolError === true }
      : reply,
  )
  const isThere =
    replies.some((reply) => reply.kind !== 'approval-response' && reply.callId === toolCallId) ||
    (replies.length > 0 && output.length === 0)
  const others = items.filter((item) => item.kind !== 'step' && !isReply(item, { role }) && item.raw !== null)
  if (isThere || toolCallId === null) return [...named, ...others]
  return [
    ...named,
    ...others.filter((item) => !isOutput(item)),
    { kind: 'result', callId: toolCallId, name: toolName, isError: toolError === true, output, raw: null },
  ]
}

/**
 * A call in the parts takes its arguments from the tool call with the same id, which has them byte for byte. Tool calls
 * that no part repeats come after the parts.
 */
function withToolCalls(items: readonly Item[], toolCalls: readonly ToolCall[]): Item[] {
  // Each group is reversed: its first call stands last, because `pop` is quick.
  const byId = Map.groupBy(toolCalls.toReversed(), ({ callId }) => callId)
  const taken = new Set<ToolCall>()
  const known = items.map((item): Item => {
    const isCall = item.kind === 'call' || (item.kind === 'hosted' && item.half === 'call')
    const toolCall = isCall ? byId.get(item.callId)?.pop() : undefined
    if (toolCall === undefined) return item
    taken.add(toolCall)
    return item.kind === 'call' ? { ...item, arguments: toolCall.arguments, extra: toolCall.extra } : item
  })
  const left = toolCalls.filter((toolCall) => !taken.has(toolCall))
  const others = left.map(
    ({ callId, name, arguments: text, type, extra }): Call => ({
      kind: 'call',
      callId,
      name,
      type,
      arguments: text,
      raw: null,
      extra,
    }),
  )
  return [...known, ...others]
}
