import { isRecord } from '../message/json.ts'
import type { Message, MessageSiblings, ToolCall } from '../schema/types.ts'
import { partsOf } from './shown-parts.ts'

/** A message as a thread reads it. */
export type ThreadMessage = Message & { readonly siblings: MessageSiblings | null }

/** A `ThreadMessageLike` of assistant-ui: a message of people, or all that an assistant said and did in one turn. */
export interface ShownMessage {
  /** The message's client id, which it has before it is stored too; otherwise its `id`. */
  readonly id: string
  readonly role: 'assistant' | 'user' | 'system'
  readonly content: readonly ShownPart[]
  readonly createdAt: Date
  /** Of an assistant alone. */
  readonly status?: ShownStatus
  readonly metadata: { readonly custom: ShownState & Record<string, unknown> }
}

/** What is known of a shown message beside its content: `message.metadata.custom` in components of assistant-ui. */
export interface ShownState {
  /** `pending`: not known to be stored. `failed`: refused, as `problem` says. */
  readonly sent: 'pending' | 'failed' | 'sent'
  readonly problem: string | null
  /** Of the first message of a turn; null: there is only one version. */
  readonly siblings: MessageSiblings | null
  readonly name: string | null
  readonly model: string | null
  readonly isDeleted: boolean
  readonly isEdited: boolean
  readonly isStopping: boolean
}

export type ShownPart =
  | { readonly type: 'text' | 'reasoning'; readonly text: string }
  | { readonly type: 'image'; readonly image: string }
  | {
      readonly type: 'tool-call'
      readonly toolCallId: string
      readonly toolName: string
      readonly args: Readonly<Record<string, never>>
      readonly argsText: string
      readonly result?: unknown
      readonly isError?: boolean
    }

export type ShownStatus =
  | { readonly type: 'running' }
  | { readonly type: 'complete'; readonly reason: 'stop' }
  | { readonly type: 'incomplete'; readonly reason: 'cancelled' | 'error'; readonly error?: string }

export function shownId({ clientId, id }: Pick<Message, 'clientId' | 'id'>): string {
  return clientId ?? id
}

/**
 * The turns of a path: a message of people is one, and so are the messages that follow one another of an assistant and of
 * its tools.
 */
export function turnsOf(path: readonly ThreadMessage[]): ThreadMessage[][] {
  const turns: ThreadMessage[][] = []
  for (const message of path) {
    const last = turns.at(-1)
    if (last !== undefined && isOfAgent(message) && isOfAgent(last[0] as ThreadMessage)) last.push(message)
    else turns.push([message])
  }
  return turns
}

function isOfAgent({ role }: Message): boolean {
  return role === 'ASSISTANT' || role === 'TOOL'
}

/** @param turn has at least one message */
export function showTurn(turn: readonly ThreadMessage[]): ShownMessage {
  const first = turn[0] as ThreadMessage
  const last = turn.findLast(({ role }) => role !== 'TOOL') ?? first
  const results = new Map(turn.flatMap((message) => (message.role === 'TOOL' ? [[message.toolCallId, message]] : [])))
  const role = isOfAgent(first) ? 'assistant' : first.role === 'USER' ? 'user' : 'system'
  const content = turn.flatMap((message) => [
    ...(message.role === 'TOOL' ? [] : partsOf(message)),
    ...message.toolCalls.map((call) => showCall(call, results.get(call.callId))),
  ])
  const { siblings } = first
  return {
    id: shownId(first),
    role,
    // Other roles than an assistant's have no calls and no reasoning.
    content: role === 'assistant' ? content : content.filter(({ type }) => type === 'text' || type === 'image'),
    createdAt: new Date(first.sentAt ?? first.createdAt),
    ...(role === 'assistant' ? { status: statusOf(last) } : {}),
    metadata: {
      custom: {
        sent: 'sent',
        problem: null,
        siblings: siblings !== null && siblings.count > 1 ? siblings : null,
        name: first.name,
        model: last.model,
        isDeleted: turn.every(({ deletedAt }) => deletedAt !== null),
        isEdited: turn.some(({ editedAt }) => editedAt !== null),
        isStopping: last.status === 'STREAMING' && last.stopRequestedAt !== null,
      },
    },
  }
}

function statusOf({ status, error }: ThreadMessage): ShownStatus {
  if (status === 'STREAMING') return { type: 'running' }
  if (status === 'CANCELLED') return { type: 'incomplete', reason: 'cancelled' }
  if (status === 'COMPLETE') return { type: 'complete', reason: 'stop' }
  return { type: 'incomplete', reason: 'error', error: error?.message ?? 'The answer failed.' }
}

function showCall({ callId, name, arguments: text }: ToolCall, result: ThreadMessage | undefined): ShownPart {
  const args = parse(text)
  return {
    type: 'tool-call',
    toolCallId: callId,
    toolName: name,
    args: (isRecord(args) ? args : {}) as Record<string, never>,
    argsText: text,
    ...(result === undefined ? {} : { result: parse(result.content ?? ''), isError: result.toolError === true }),
  }
}

/** JSON, or else the text itself. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
