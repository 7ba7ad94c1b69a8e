import type { ToolCall } from '../../entities/tool-call.ts'
import { readParts } from '../dialects/read-parts.ts'
import { type Call, type Item, isOutput, type Result, type Said } from '../items/item.ts'
import type { Spoken } from '../items/spoken.ts'

/** A piece of a message: one result, or the items between two results or steps. */
export type Entry = SaidEntry | ResultEntry

export interface SaidEntry {
  readonly message: Spoken
  readonly items: readonly Said[]
}

export interface ResultEntry {
  readonly message: Spoken
  readonly result: Result
}

/** Reads what a message says, in order. What stands both in its parts and in its fields is read once. */
export function readEntries(message: Spoken): Entry[] {
  const entries: Entry[] = []
  let said: Said[] = []
  const endEntry = () => {
    if (said.length > 0) entries.push({ message, items: said })
    said = []
  }
  for (const item of readItems(message)) {
    if (item.kind !== 'result' && item.kind !== 'step') said.push(item)
    else {
      endEntry()
      if (item.kind === 'result') entries.push({ message, result: item })
    }
  }
  endEntry()
  return entries
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

/** A TOOL message is one result, unless its parts are results. */
function readToolMessage({ toolCallId, toolName, toolError }: Spoken, items: readonly Item[]): Item[] {
  const results = items.filter((item) => item.kind === 'result')
  const output = items.filter(isOutput)
  const named = results.map((result) =>
    result.callId === toolCallId
      ? { ...result, name: result.name ?? toolName, isError: result.isError || toolError === true }
      : result,
  )
  const isThere = results.some(({ callId }) => callId === toolCallId) || (results.length > 0 && output.length === 0)
  if (isThere || toolCallId === null) return named
  return [
    ...named,
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
    const toolCall = item.kind === 'call' ? byId.get(item.callId)?.pop() : undefined
    if (item.kind !== 'call' || toolCall === undefined) return item
    taken.add(toolCall)
    return { ...item, arguments: toolCall.arguments, extra: toolCall.extra }
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
