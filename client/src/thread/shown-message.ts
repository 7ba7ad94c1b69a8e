import { isRecord } from '../message/json.ts'
import type {
  FeedbackRating,
  Message,
  MessageAuthor,
  MessageFeedback,
  MessageReactions,
  MessageSiblings,
  ToolCall,
  ToolCallApproval,
} from '../schema/types.ts'
import { sumReactions } from './reactions.ts'
import { partsOf } from './shown-parts.ts'

/** A message as a thread reads it. What was not asked for is absent. */
export type ThreadMessage = Omit<Message, 'toolCalls'> & {
  readonly siblings: MessageSiblings | null
  readonly toolCalls: readonly ThreadCall[]
  readonly reactions?: readonly MessageReactions[] | null
  readonly replyTo?: RepliedMessage | null
  readonly feedback?: Pick<MessageFeedback, 'rating' | 'reason' | 'comment'> | null
}

type ThreadCall = ToolCall & { readonly approval?: ToolCallApproval | null }

export type RepliedMessage = Pick<Message, 'id' | 'clientId' | 'role' | 'name' | 'content' | 'author'>

/** A `ThreadMessageLike` of assistant-ui: a message of people, or all that an assistant said and did in one turn. */
export interface ShownMessage {
  /** The message's client id, which it has before it is stored too; otherwise its `id`. */
  readonly id: string
  readonly role: 'assistant' | 'user' | 'system'
  readonly content: readonly ShownPart[]
  readonly createdAt: Date
  /** Of an assistant alone. */
  readonly status?: ShownStatus
  readonly metadata: {
    readonly custom: ShownState & Record<string, unknown>
    readonly submittedFeedback?: { readonly type: 'positive' | 'negative'; readonly comment?: string }
  }
}

/** What is known of a shown message beside its content: `message.metadata.custom` in components of assistant-ui. */
export interface ShownState {
  /** `pending`: not known to be stored. `failed`: refused, as `problem` says. */
  readonly sent: 'pending' | 'failed' | 'sent'
  readonly problem: string | null
  /** Of the first message of a turn; null: there is only one version. */
  readonly siblings: MessageSiblings | null
  readonly name: string | null
  /** Who really wrote it; null: the viewer, and it is not stored yet. */
  readonly author: MessageAuthor | null
  /** Whether it is a message of the viewer as a person. */
  readonly isOwn: boolean
  readonly model: string | null
  readonly isDeleted: boolean
  readonly isEdited: boolean
  readonly isStopping: boolean
  /** If `replies` are asked for: the message to which it replies. `id` is that of the stored message. */
  readonly replyTo: RepliedMessage | null
  /** The same for `MessagePrimitive.Quote`; its `messageId` is that of the shown message, if it is one of its own. */
  readonly quote?: { readonly text: string; readonly messageId: string }
  /** If `reactions` are asked for. */
  readonly reactions: readonly MessageReactions[]
  /** If `feedback` is asked for: the viewer's own. */
  readonly feedback: GivenFeedback | null
}

export interface GivenFeedback {
  readonly rating: FeedbackRating
  readonly reason: string | null
  readonly comment: string | null
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
      /** If `approvals` are asked for: of a call that people are asked about. */
      readonly approval?: ShownApproval
    }

export interface ShownApproval {
  readonly id: string
  /** Absent: nobody has answered. */
  readonly approved?: boolean
  readonly reason?: string
  /** Who answered. */
  readonly userId?: string
  /** Nobody has answered, and the conversation went on. */
  readonly resolution?: 'expired'
}

export type ShownStatus =
  | { readonly type: 'running' }
  | { readonly type: 'complete'; readonly reason: 'stop' }
  | { readonly type: 'requires-action'; readonly reason: 'tool-calls' }
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

function isOfAgent({ role }: Pick<Message, 'role'>): boolean {
  return role === 'ASSISTANT' || role === 'TOOL'
}

/** The message of a turn that people mean when they react to it, reply to it, or say what they think of it. */
export function mainOf(turn: readonly ThreadMessage[]): ThreadMessage {
  return turn.findLast(({ role }) => role !== 'TOOL') ?? (turn[0] as ThreadMessage)
}

/** @param turn has at least one message @param isLast whether nothing follows it. @param viewer a `userId`; null: unknown */
export function showTurn(turn: readonly ThreadMessage[], isLast: boolean, viewer: string | null): ShownMessage {
  const first = turn[0] as ThreadMessage
  const last = mainOf(turn)
  const results = new Map(turn.flatMap((message) => (message.role === 'TOOL' ? [[message.toolCallId, message]] : [])))
  const role = isOfAgent(first) ? 'assistant' : first.role === 'USER' ? 'user' : 'system'
  const content = turn.flatMap((message) => [
    ...(message.role === 'TOOL' ? [] : partsOf(message)),
    ...message.toolCalls.map((call) => showCall(call, message, results.get(call.callId), isLast)),
  ])
  const { siblings, author } = first
  const feedback = last.feedback ?? null
  return {
    id: shownId(first),
    role,
    // Other roles than an assistant's have no calls and no reasoning.
    content: role === 'assistant' ? content : content.filter(({ type }) => type === 'text' || type === 'image'),
    createdAt: new Date(first.sentAt ?? first.createdAt),
    ...(role === 'assistant' ? { status: isAsking(content) ? asking : statusOf(last) } : {}),
    metadata: {
      ...(feedback === null ? {} : { submittedFeedback: submitted(feedback) }),
      custom: {
        sent: 'sent',
        problem: null,
        siblings: siblings !== null && siblings.count > 1 ? siblings : null,
        name: first.name,
        author,
        isOwn: role === 'user' && author.kind === 'USER' && author.userId === viewer,
        model: last.model,
        isDeleted: turn.every(({ deletedAt }) => deletedAt !== null),
        isEdited: turn.some(({ editedAt }) => editedAt !== null),
        isStopping: last.status === 'STREAMING' && last.stopRequestedAt !== null,
        ...showReply(first.replyTo ?? null),
        reactions: sumReactions(turn),
        feedback,
      },
    },
  }
}

export function showReply(replyTo: RepliedMessage | null): Pick<ShownState, 'replyTo' | 'quote'> {
  if (replyTo === null) return { replyTo }
  return { replyTo, quote: { text: replyTo.content ?? '', messageId: shownId(replyTo) } }
}

function submitted({ rating, comment }: GivenFeedback): { type: 'positive' | 'negative'; comment?: string } {
  return { type: rating === 'UP' ? 'positive' : 'negative', ...(comment === null ? {} : { comment }) }
}

const asking: ShownStatus = { type: 'requires-action', reason: 'tool-calls' }

/** Whether an answer of people is awaited. */
function isAsking(content: readonly ShownPart[]): boolean {
  return content.some((part) => {
    const approval = part.type === 'tool-call' ? part.approval : undefined
    return approval !== undefined && approval.approved === undefined && approval.resolution === undefined
  })
}

function statusOf({ status, error }: ThreadMessage): ShownStatus {
  if (status === 'STREAMING') return { type: 'running' }
  if (status === 'CANCELLED') return { type: 'incomplete', reason: 'cancelled' }
  if (status === 'COMPLETE') return { type: 'complete', reason: 'stop' }
  return { type: 'incomplete', reason: 'error', error: error?.message ?? 'The answer failed.' }
}

function showCall(
  call: ThreadCall,
  message: ThreadMessage,
  result: ThreadMessage | undefined,
  isLast: boolean,
): ShownPart {
  const args = parse(call.arguments)
  const approval = showApproval(call, message, result === undefined && isLast)
  return {
    type: 'tool-call',
    toolCallId: call.callId,
    toolName: call.name,
    args: (isRecord(args) ? args : {}) as Record<string, never>,
    argsText: call.arguments,
    ...(result === undefined ? {} : { result: parse(result.content ?? ''), isError: result.toolError === true }),
    ...(approval === null ? {} : { approval }),
  }
}

/** The message's metadata says which calls people are asked about, as `needsApproval` of a tool has it. */
function showApproval(
  { callId, approval }: ThreadCall,
  { id, metadata, status }: ThreadMessage,
  isOpen: boolean,
): ShownApproval | null {
  if (approval === undefined) return null
  const own = { id: approvalId(id, callId) }
  if (approval !== null) {
    const { approved, reason, userId } = approval
    return { ...own, approved, userId, ...(reason === null ? {} : { reason }) }
  }
  const { needsApproval } = metadata
  if (status !== 'COMPLETE' || !Array.isArray(needsApproval) || !needsApproval.includes(callId)) return null
  return isOpen ? own : { ...own, resolution: 'expired' }
}

/** Ids of messages have no space. */
function approvalId(messageId: string, callId: string): string {
  return `${messageId} ${callId}`
}

export function readApprovalId(id: string): { readonly messageId: string; readonly callId: string } {
  const end = id.indexOf(' ')
  return { messageId: id.slice(0, end), callId: id.slice(end + 1) }
}

/** JSON, or else the text itself. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
