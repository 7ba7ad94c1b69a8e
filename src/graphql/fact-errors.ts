import {
  type ApiError,
  answerTooLarge,
  attemptIsOver,
  badInput,
  callAnswered,
  callNotFound,
  callOver,
  chunkExpected,
  clientIdTaken,
  contextTooSmall,
  conversationExists,
  conversationNotFound,
  copiesStreaming,
  forbidden,
  isStreaming,
  lastSeqMoved,
  messageNotFound,
  notStreaming,
  quotaExceeded,
  readsTooMuch,
  revisionMoved,
  takenOver,
  tooLarge,
  unavailable,
} from '../errors.ts'
import {
  AnswerTooLarge,
  AttemptOver,
  CallAnswered,
  CallMissing,
  CallOver,
  ChunkExpected,
  ClientIdTaken,
  ContextTooSmall,
  ConversationContended,
  ConversationExists,
  ConversationMissing,
  CopyBeyondEnd,
  CopyStreams,
  CopyTooLarge,
  type Fact,
  ForeignParent,
  ForeignReply,
  HistoryBeyondEnd,
  LastSeqMoved,
  MentionedOutsider,
  MessageMissing,
  NobodyWaits,
  NotByAssistant,
  NotPermitted,
  NotStreaming,
  OwnerTakesPart,
  PartsHoldText,
  PathTooLong,
  QuotaExceeded,
  RepeatedClientId,
  RevisionMoved,
  StillStreaming,
  TakenOver,
  TextTooLarge,
  TooManyAnswers,
  TooManyEmojis,
  TooManyParticipants,
  TooManyRows,
  TooManyWait,
  TransactionTooLong,
} from '../facts.ts'
import { isGiven } from './input/is-given.ts'

/**
 * Says a fact in the words of the API. A fact that the caller can correct has a path in the input, and each kind of
 * fact has one path. Facts about one of several messages get their path from `atMessages`.
 *
 * @param field the field that was to be answered
 */
export function apiErrorOf(fact: Fact, field: string): ApiError {
  const say = words.get(fact.constructor)
  if (say === undefined) throw new Error(`${fact.name} has no words.`)
  return say(fact as never, field)
}

type Words = readonly [kind: unknown, say: (fact: never, field: string) => ApiError]

function said<F extends Fact>(
  kind: abstract new (...given: never[]) => F,
  say: (fact: F, field: string) => ApiError,
): Words {
  return [kind, say]
}

const words = new Map<unknown, Words[1]>([
  said(ConversationMissing, conversationNotFound),
  said(MessageMissing, messageNotFound),
  said(ConversationExists, conversationExists),
  said(OwnerTakesPart, () => forbidden('The owner of a conversation always takes part in it, as its owner.')),
  said(TooManyParticipants, ({ limit }, field) => {
    const path = field === 'addParticipant' ? 'input.userId' : 'input.conversationId'
    return tooLarge(path, 'participants beside the owner, with this one,', limit, limit + 1)
  }),
  said(TooManyEmojis, ({ limit }) =>
    tooLarge('input.emoji', 'different emojis of one message, with this one,', limit, limit + 1),
  ),
  said(CallMissing, callNotFound),
  said(CallAnswered, ({ userId, approved }) => callAnswered(userId, approved)),
  said(CallOver, callOver),
  said(TakenOver, ({ userId }) => takenOver(userId)),
  said(NotByAssistant, () => badInput('input.messageId', 'must be a message of an assistant.')),
  said(NotPermitted, () => forbidden('Your role in this conversation does not allow it.')),
  said(ConversationContended, () =>
    unavailable('The conversation is being deleted and created at the same time; try again.'),
  ),
  said(LastSeqMoved, ({ expected, last }) => lastSeqMoved(expected, last)),
  said(ClientIdTaken, ({ clientId, messageId }) => clientIdTaken(clientId, messageId)),
  said(RevisionMoved, ({ expected, revision }) => revisionMoved(expected, revision)),
  said(PartsHoldText, () =>
    badInput('input.content', "the message's parts hold its text too: give the new parts as well."),
  ),
  said(StillStreaming, isStreaming),
  said(NotStreaming, notStreaming),
  said(AttemptOver, ({ attempt }) => attemptIsOver(attempt)),
  said(ChunkExpected, ({ nextChunk }) => chunkExpected(nextChunk)),
  said(TextTooLarge, ({ limit, actual }) =>
    tooLarge('input.text', 'bytes, with the message and all chunks before it, which are kept,', limit, actual),
  ),
  said(CopyStreams, ({ seq }) => copiesStreaming(seq)),
  said(HistoryBeyondEnd, ({ most }) =>
    badInput('input.historyFrom', `must be from 1 to ${most}, the seq of the next message.`),
  ),
  said(CopyBeyondEnd, ({ last }) => badInput('input.upToSeq', `must be at most ${last}, the conversation's last seq.`)),
  said(CopyTooLarge, ({ unit, limit, actual }) => tooLarge('input.upToSeq', unit, limit, actual)),
  said(QuotaExceeded, ({ quota, limit, used }) => quotaExceeded(quota, limit, used)),
  said(PathTooLong, ({ limit, actual }) => tooLarge('branch', 'turns', limit, actual)),
  said(ContextTooSmall, ({ limit, needed }) => contextTooSmall(limit, needed)),
  said(AnswerTooLarge, ({ limit, actual }, field) => answerTooLarge(field, limit, actual)),
  said(TooManyRows, ({ limit, actual }, field) => readsTooMuch(field, actual, limit)),
  said(TooManyWait, () => unavailable('Too many requests wait for the database; try again.')),
  said(NobodyWaits, () => unavailable('Nobody waits for this answer any more.')),
  said(TransactionTooLong, () => unavailable('The database took too long, and nothing was stored; try again.')),
  said(TooManyAnswers, () => unavailable('The server holds too many answers at once; try again in a moment.')),
])

/**
 * Gives a fact about one of several messages the path of that message.
 *
 * @param messages where each message stands in the input, and the client id by which it names its parent, if it does
 */
export function atMessages(
  messages: readonly { readonly path: string; readonly given: { readonly parentClientId?: string | null } }[],
): (error: unknown) => never {
  return (error) => {
    if (error instanceof RepeatedClientId)
      throw badInput(
        `${messages[error.index]?.path}.clientId`,
        'an earlier message of this call has the same client id with another payload.',
      )
    if (error instanceof ForeignReply)
      throw badInput(`${messages[error.index]?.path}.replyTo`, 'is not the id of a message of this conversation.')
    if (error instanceof MentionedOutsider)
      throw badInput(
        `${messages[error.index]?.path}.mentions`,
        `names ${JSON.stringify(error.userId)}, who takes no part in this conversation.`,
      )
    if (error instanceof ForeignParent) {
      const { path, given } = messages[error.index] as (typeof messages)[number]
      throw isGiven(given.parentClientId)
        ? badInput(
            `${path}.parentClientId`,
            'is neither the client id of a message of this conversation nor that of an earlier message of this call.',
          )
        : badInput(`${path}.parentId`, "is neither the id of a message of this conversation nor the conversation's id.")
    }
    throw error
  }
}
