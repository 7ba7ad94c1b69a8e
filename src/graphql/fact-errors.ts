import {
  type ApiError,
  answerTooLarge,
  attemptIsOver,
  badInput,
  chunkExpected,
  clientIdTaken,
  contextTooSmall,
  conversationExists,
  conversationNotFound,
  copiesStreaming,
  isStreaming,
  lastSeqMoved,
  messageNotFound,
  notStreaming,
  revisionMoved,
  tooLarge,
  unavailable,
} from '../errors.ts'
import {
  AnswerTooLarge,
  AttemptOver,
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
  LastSeqMoved,
  MessageMissing,
  MessageStreams,
  MessageStreamsNot,
  PartsHoldText,
  PathTooLong,
  RepeatedClientId,
  RevisionMoved,
  TextTooLarge,
  TooManyAnswers,
  TooManyWait,
} from '../facts.ts'

/**
 * A fact in the words of the API. What a caller can mend has its place in the input: at one path for each kind, but for facts
 * about one of several messages, to which `atMessages` gives it.
 *
 * @param field that was to be answered
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
  said(ConversationContended, () =>
    unavailable('The conversation is being deleted and created at the same time; try again.'),
  ),
  said(LastSeqMoved, ({ expected, last }) => lastSeqMoved(expected, last)),
  said(ClientIdTaken, ({ clientId, messageId }) => clientIdTaken(clientId, messageId)),
  said(RevisionMoved, ({ expected, revision }) => revisionMoved(expected, revision)),
  said(PartsHoldText, () =>
    badInput('input.content', "the message's parts hold its text too: give the new parts as well."),
  ),
  said(MessageStreams, isStreaming),
  said(MessageStreamsNot, notStreaming),
  said(AttemptOver, ({ attempt }) => attemptIsOver(attempt)),
  said(ChunkExpected, ({ nextChunk }) => chunkExpected(nextChunk)),
  said(TextTooLarge, ({ limit, actual }) =>
    tooLarge('input.text', 'bytes, with the message and all chunks before it,', limit, actual),
  ),
  said(CopyStreams, ({ seq }) => copiesStreaming(seq)),
  said(CopyBeyondEnd, ({ last }) => badInput('input.upToSeq', `must be at most ${last}, the conversation's last seq.`)),
  said(CopyTooLarge, ({ unit, limit, actual }) => tooLarge('input.upToSeq', unit, limit, actual)),
  said(PathTooLong, ({ limit, actual }) => tooLarge('branch', 'turns', limit, actual)),
  said(ContextTooSmall, ({ limit, needed }) => contextTooSmall(limit, needed)),
  said(AnswerTooLarge, ({ limit, actual }, field) => answerTooLarge(field, limit, actual)),
  said(TooManyWait, () => unavailable('Too much waits for the database; try again.')),
  said(TooManyAnswers, () => unavailable('The server is answering too much at once; try again in a moment.')),
])

/**
 * Gives the facts about one of several messages the place of that message.
 *
 * @param paths where each message stands in the input
 */
export function atMessages(paths: readonly string[]): (error: unknown) => never {
  return (error) => {
    if (error instanceof RepeatedClientId)
      throw badInput(`${paths[error.index]}.clientId`, 'an earlier message of this call has it, with another payload.')
    if (error instanceof ForeignParent)
      throw badInput(`${paths[error.index]}.parentId`, 'is neither a message of this conversation nor its own id.')
    throw error
  }
}
