import { contractLimits } from '../../config.ts'
import { readGlobalId } from '../../entities/ids/global-id.ts'
import type { Place } from '../../entities/ids/place.ts'
import { badInput, tooLarge } from '../../errors.ts'
import type { Links } from '../../storage/chat/message-links.ts'
import type { NewMessage } from '../../storage/message/new-message.ts'
import { isGiven } from '../input/is-given.ts'
import { requireName } from '../input/text-rules.ts'

/** How an input names the message to which its message replies, and the users whom it mentions. */
export interface LinkInput {
  readonly replyTo?: string | null
  readonly mentions?: readonly string[] | null
}

export type NamedLinks = Omit<Links, 'index'>

/**
 * What an input names; null if it names nothing. Whether that is in the conversation is checked later, where the
 * conversation is locked.
 *
 * @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE
 */
export function readLinks(path: string, { replyTo, mentions }: LinkInput): NamedLinks | null {
  if (isGiven(mentions)) requireMentions(`${path}.mentions`, mentions)
  if (!isGiven(replyTo) && !mentions?.length) return null
  return {
    replyTo: isGiven(replyTo) ? readReply(`${path}.replyTo`, replyTo) : null,
    mentions: [...new Set(mentions)],
  }
}

function requireMentions(path: string, mentions: readonly string[]): void {
  const { length } = mentions
  if (length > contractLimits.mentions) throw tooLarge(path, 'items', contractLimits.mentions, length)
  for (const [index, userId] of mentions.entries()) requireName(`${path}[${index}]`, userId, contractLimits.userId)
}

function readReply(path: string, replyTo: string): Place {
  const id = readGlobalId(replyTo)
  if (id.kind !== 'message') throw badInput(path, 'is not the id of a message.')
  return id.place
}

/**
 * The input as the hash covers it: with the seq of the message to which it replies. After a restore that message has
 * another id, and in a fork, and a retry is still one.
 */
export function withReplySeq<Input extends LinkInput>(input: Input, links: NamedLinks | null): Input {
  return links === null || links.replyTo === null ? input : { ...input, replyTo: null, replyToSeq: links.replyTo.seq }
}

/** The links of each message that has some; undefined if none has. */
export function linksOf(
  messages: readonly { readonly message: NewMessage; readonly links: NamedLinks | null }[],
): ReadonlyMap<NewMessage, Links> | undefined {
  const found = new Map<NewMessage, Links>()
  for (const [index, { message, links }] of messages.entries()) if (links) found.set(message, { index, ...links })
  return found.size === 0 ? undefined : found
}
