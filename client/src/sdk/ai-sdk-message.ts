import type { UIMessage } from 'ai'
import { isRecord, isSameJson } from '../message/json.ts'
import type { Message, MessageInput, ToolCall } from '../schema/types.ts'

/** Begins the id of a message that another program has stored without a client id; what follows is the message's own. */
const foreignId = 'colloquy:'

/** The id of a stored message in a chat. */
export function shownId({ id, clientId }: Message): string {
  return clientId ?? foreignId + id
}

/** @param message as JSON has it */
export function toInput({ id, role, metadata, parts }: UIMessage): MessageInput {
  return {
    role: roles[role],
    clientId: id,
    partsFormat: 'AI_SDK',
    // The API has no message of nothing.
    ...(parts.length === 0 ? { content: '' } : { parts }),
    ...(metadata === undefined ? {} : { metadata: wrap(metadata) }),
  }
}

/** The messages of a conversation; results that stand in messages of their own go into the calls that they answer. */
export function toUIMessages<Shown extends UIMessage>(stored: readonly Message[]): Shown[] {
  const messages: UIMessage[] = []
  const calls = new OpenCalls()
  for (const message of stored) {
    if (message.role === 'TOOL') calls.answer(message)
    else if (saysSomething(message)) {
      const shown = toUIMessage(message)
      calls.see(shown)
      messages.push(shown)
    }
  }
  return messages as Shown[]
}

/** What another program has begun and not written, as an answer that failed, is no message of a chat. */
export function saysSomething({ partsFormat, content, toolCalls }: Message): boolean {
  return partsFormat === 'AI_SDK' || content !== null || toolCalls.length > 0
}

const roles = { system: 'SYSTEM', user: 'USER', assistant: 'ASSISTANT' } as const
const uiRoles = { SYSTEM: 'system', DEVELOPER: 'system', USER: 'user', ASSISTANT: 'assistant' } as const

type Part = UIMessage['parts'][number]

/** A message by itself, without results that stand in messages of their own. */
export function toUIMessage(message: Message): UIMessage {
  const own = unwrap(message.metadata)
  return {
    id: shownId(message),
    role: uiRoles[message.role as keyof typeof uiRoles],
    ...(own === undefined ? {} : { metadata: own }),
    parts: partsOf(message),
  }
}

function partsOf({ parts, partsFormat, content, toolCalls }: Message): Part[] {
  if (partsFormat === 'AI_SDK') return [...((parts ?? []) as Part[])]
  const text: Part[] = content ? [{ type: 'text', text: content }] : []
  return [...text, ...toolCalls.map(readCall)]
}

function readCall({ callId, name, arguments: text }: ToolCall): Part {
  return { type: 'dynamic-tool', toolName: name, toolCallId: callId, state: 'input-available', input: parse(text) }
}

/** The calls that have no result yet, of all that was said since the user spoke. */
class OpenCalls {
  /** By the id of the call, the latest last: models use ids again. */
  readonly #places = new Map<string, { readonly parts: Part[]; readonly index: number; readonly call: OpenCall }[]>()

  see({ role, parts }: UIMessage): void {
    if (role === 'user') this.#places.clear()
    for (const [index, call] of parts.entries()) {
      if (role === 'user' || !isOpenCall(call)) continue
      const places = this.#places.get(call.toolCallId)
      if (places === undefined) this.#places.set(call.toolCallId, [{ parts, index, call }])
      else places.push({ parts, index, call })
    }
  }

  /** The result goes into the latest call of its id, or nowhere. */
  answer({ toolCallId, toolError, content }: Message): void {
    const place = this.#places.get(toolCallId ?? '')?.pop()
    if (place === undefined) return
    const { type, toolName, toolCallId: id, input } = place.call
    const common = { type, toolName, toolCallId: id, input }
    place.parts[place.index] = toolError
      ? { ...common, state: 'output-error', errorText: content ?? '' }
      : { ...common, state: 'output-available', output: parse(content ?? '') }
  }
}

type OpenCall = Extract<Part, { type: 'dynamic-tool'; state: 'input-available' }>

function isOpenCall(part: Part): part is OpenCall {
  return part.type === 'dynamic-tool' && part.state === 'input-available'
}

/** The metadata of a UIMessage may be anything; that of the API is an object, and empty when there is none. */
const anyMetadata = 'aiSdk'

function wrap(metadata: unknown): Record<string, unknown> {
  return isRecord(metadata) && unwrap(metadata) === metadata ? metadata : { [anyMetadata]: metadata }
}

function unwrap(metadata: Readonly<Record<string, unknown>>): unknown {
  const keys = Object.keys(metadata)
  if (keys.length === 0) return undefined
  return isSameJson(keys, [anyMetadata]) ? metadata[anyMetadata] : metadata
}

/** JSON, or else the text itself. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
