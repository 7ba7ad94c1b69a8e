import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql'
import type { Viewer } from '../../auth/viewer.ts'
import type { Limits } from '../../config.ts'
import { badInput, conversationNotFound } from '../../errors.ts'
import type { Append } from '../../storage/append/append.ts'
import type { ConversationRef } from '../../storage/conversation/conversation-ref.ts'
import { type Authorship, bringsTime } from '../../storage/message/new-message.ts'
import { inTurns, type Work } from '../../turns.ts'
import { readConversationId, readNewConversationId } from '../input/conversation-id.ts'
import { requireBringer } from '../input/past-time.ts'
import { checkMessage } from './message-check.ts'
import type { MessageInput } from './message-input.ts'
import { linksOf, readLinks, withReplySeq } from './message-links.ts'
import { type CheckedMessage, readParents } from './message-parent.ts'

export const IfMissing = { FAIL: 'FAIL', CREATE: 'CREATE' } as const
export type IfMissing = keyof typeof IfMissing
registerEnumType(IfMissing, {
  name: 'IfMissing',
  description: 'What to do if there is no conversation with this id.',
  valuesConfig: {
    FAIL: { description: 'Refuse with NOT_FOUND.' },
    CREATE: { description: 'Create the conversation with this append, in one transaction.' },
  },
})

@InputType()
export abstract class AppendInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string

  @Field(() => IfMissing, {
    defaultValue: IfMissing.FAIL,
    description: 'What to do if there is no conversation with this id.',
  })
  ifMissing!: IfMissing

  @Field(() => Int, {
    nullable: true,
    description:
      "Append only if this is the conversation's last seq. So, of two turns at the same time, only one can win. A missing conversation has 0.",
  })
  ifLastSeq?: number | null
}

/** @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE */
export function readMessage(path: string, input: MessageInput, limits: Limits): CheckedMessage {
  const links = readLinks(path, input)
  const given = withReplySeq(input, links)
  return { message: checkMessage(path, given, limits), path, given, links }
}

/** So many parts, tool calls, or characters are checked before everybody else has a turn of the event loop. */
const itemsOfTurn = 2_000
const charactersOfTurn = 1024 * 1024

/** The messages of `input.messages`. @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE */
export function readMessages(inputs: readonly MessageInput[], limits: Limits): Promise<CheckedMessage[]> {
  return inTurns(checkMessages(inputs, limits))
}

function* checkMessages(inputs: readonly MessageInput[], limits: Limits): Work<CheckedMessage[]> {
  const checked: CheckedMessage[] = []
  let turn = 0
  for (const [index, input] of inputs.entries()) {
    if (turn >= 1) {
      turn = 0
      yield
    }
    checked.push(readMessage(`input.messages[${index}]`, input, limits))
    const { parts, toolCalls, content } = input
    turn += ((parts?.length ?? 0) + (toolCalls?.length ?? 0)) / itemsOfTurn + (content?.length ?? 0) / charactersOfTurn
  }
  return checked
}

/**
 * The append of checked messages, with its conversation and its conditions. @throws ApiError BAD_USER_INPUT, NOT_FOUND,
 * FORBIDDEN
 */
export function toAppend(
  viewer: Viewer,
  { conversationId, ifMissing, ifLastSeq }: AppendInput,
  checked: readonly CheckedMessage[],
): Omit<Append, 'onExisting' | 'alsoStore' | 'requireRoom'> {
  const { userId } = viewer
  for (const { message, path } of checked) if (bringsTime(message)) requireBringer(`${path}.createdAt`, viewer)
  if ((ifLastSeq ?? 0) < 0) throw badInput('input.ifLastSeq', 'must not be negative.')
  const createIfMissing = ifMissing === IfMissing.CREATE
  const to = readTarget(userId, conversationId, createIfMissing)
  for (const { message } of checked) Object.assign(message, authorshipOf(viewer, to))
  return {
    to,
    createIfMissing,
    ifLastSeq: ifLastSeq ?? null,
    messages: checked.map(({ message }) => message),
    parents: readParents(userId, checked),
    links: linksOf(checked),
  }
}

/** Whoever names a conversation by its own id owns it, and then null says who wrote. */
function authorshipOf({ userId, author }: Viewer, to: ConversationRef): Authorship {
  return {
    authorId: author.userId ?? (to.id === null ? userId : null),
    authorKind: author.kind === 'USER' ? null : author.kind,
    authorName: author.name,
  }
}

/** The conversation that an append names. @throws ApiError if it can be neither found nor created */
function readTarget(userId: string, id: string, createIfMissing: boolean): ConversationRef {
  const ref = readConversationId(userId, id)
  if (ref !== null && (ref.id === null || !createIfMissing)) return ref
  if (!createIfMissing) throw conversationNotFound()
  return readNewConversationId(userId, 'input.conversationId', id)
}
