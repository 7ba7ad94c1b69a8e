/**
 * Why a lower floor cannot do what it was asked to do. A fact knows nothing of the API: graphql/fact-errors.ts turns it
 * into the API's words, with a code and a path in the input. This file imports nothing local.
 */
export abstract class Fact extends Error {
  constructor() {
    super()
    this.name = new.target.name
  }
}

/** This user has no such conversation. */
export class ConversationMissing extends Fact {}

/** This user has no such message, or it is deleted. */
export class MessageMissing extends Fact {}

/** The user takes part in the conversation in a role that may not do this. */
export class NotPermitted extends Fact {}

/** The owner always takes part in its conversation, in this one role. */
export class OwnerTakesPart extends Fact {}

/** A conversation has as many participants as it may have, beside its owner. */
export class TooManyParticipants extends Fact {
  constructor(readonly limit: number) {
    super()
  }
}

export class ConversationExists extends Fact {}

/** The conversation was deleted and created again and again while it was looked at. */
export class ConversationContended extends Fact {}

export class LastSeqMoved extends Fact {
  constructor(
    readonly expected: number,
    readonly last: number,
  ) {
    super()
  }
}

/** A stored message has the client id with another payload. */
export class ClientIdTaken extends Fact {
  constructor(
    readonly clientId: string,
    /** null: whoever appends does not read the message that has it. */
    readonly messageId: string | null,
  ) {
    super()
  }
}

/** An earlier message of the same append has the same client id with another payload. */
export class RepeatedClientId extends Fact {
  /** @param index of the message in its append, from 0 */
  constructor(readonly index: number) {
    super()
  }
}

/** The parent that a message names is not in its conversation, and not before it in its append. */
export class ForeignParent extends Fact {
  /** @param index of the message in its append, from 0 */
  constructor(readonly index: number) {
    super()
  }
}

/** The message that a message replies to is not in its conversation. */
export class ForeignReply extends Fact {
  /** @param index of the message in its append, from 0 */
  constructor(readonly index: number) {
    super()
  }
}

/** A message mentions a user who takes no part in its conversation. */
export class MentionedOutsider extends Fact {
  /** @param index of the message in its append, from 0 */
  constructor(
    readonly index: number,
    readonly userId: string,
  ) {
    super()
  }
}

/** A message has as many different emojis as it may have. */
export class TooManyEmojis extends Fact {
  constructor(readonly limit: number) {
    super()
  }
}

/** Feedback is given on messages of assistants. */
export class NotByAssistant extends Fact {}

/** The message has no tool call of that id. */
export class CallMissing extends Fact {}

/** Somebody has answered the call, and not the same. */
export class CallAnswered extends Fact {
  constructor(
    readonly userId: string,
    readonly approved: boolean,
  ) {
    super()
  }
}

/** The call has its result. */
export class CallOver extends Fact {}

/** A person has taken the conversation over. */
export class TakenOver extends Fact {
  constructor(readonly userId: string) {
    super()
  }
}

/** Both are revisions of the message, and not of its conversation. */
export class RevisionMoved extends Fact {
  constructor(
    readonly expected: string,
    readonly revision: string,
  ) {
    super()
  }
}

/** An edit gives new content without new parts, and the stored parts hold text. */
export class PartsHoldText extends Fact {}

/** The message is still being written, and what is asked for needs it whole. */
export class StillStreaming extends Fact {}

/** The message is not being written any more. */
export class NotStreaming extends Fact {}

/** Another attempt writes this message now. */
export class AttemptOver extends Fact {
  /** @param attempt the attempt that writes now */
  constructor(readonly attempt: number) {
    super()
  }
}

export class ChunkExpected extends Fact {
  constructor(readonly nextChunk: number) {
    super()
  }
}

/** Both numbers are bytes of the message with its chunks. */
export class TextTooLarge extends Fact {
  constructor(
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** A message that is to be copied is still streaming. */
export class CopyStreams extends Fact {
  constructor(readonly seq: number) {
    super()
  }
}

/** The last seq to copy is greater than the conversation's last seq. */
/** A participant would read from a message on that will not be the next one. */
export class HistoryBeyondEnd extends Fact {
  /** @param most the seq that the next message will have */
  constructor(readonly most: number) {
    super()
  }
}

export class CopyBeyondEnd extends Fact {
  constructor(readonly last: number) {
    super()
  }
}

export class CopyTooLarge extends Fact {
  constructor(
    readonly unit: 'messages' | 'bytes',
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** Of what each user may have a limited number. */
export type QuotaName = 'conversations' | 'bytes' | 'streams'

/** There is no room for what would be stored. Nothing is. */
export class QuotaExceeded extends Fact {
  /** @param used how much the user has */
  constructor(
    readonly quota: QuotaName,
    readonly limit: number,
    readonly used: number,
  ) {
    super()
  }
}

/** A path branches more often than one statement looks at. Both numbers count these turns. */
export class PathTooLong extends Fact {
  constructor(
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** Both numbers are bytes of rows. `actual` is the least that the answer has. */
export class AnswerTooLarge extends Fact {
  constructor(
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** Both numbers are rows. `actual` is how many the operation has read, the last ones of them for nothing. */
export class TooManyRows extends Fact {
  constructor(
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** Both numbers are tokens. `needed` is what the newest turn takes, together with all that is always in the window. */
export class ContextTooSmall extends Fact {
  constructor(
    readonly limit: number,
    readonly needed: number,
  ) {
    super()
  }
}

/** More callers wait for the database than are allowed, or this one has waited too long for its turn. Nothing was begun. */
export class TooManyWait extends Fact {}

/** Whoever asked has gone, or was answered that it took too long. What was not begun is not begun. */
export class NobodyWaits extends Fact {}

/** A transaction took so long that it was not committed. Nothing of it is stored. */
export class TransactionTooLong extends Fact {}

/** The answers under way hold more memory than they may. */
export class TooManyAnswers extends Fact {}
