/**
 * What is the case where a lower floor cannot do what it is asked. A fact knows nothing of the API: graphql/fact-errors.ts says
 * it in the API's words, with a code and a place in the input. Imports nothing local.
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

export class ConversationExists extends Fact {}

/** Again and again it was deleted and created while it was looked at. */
export class ConversationContended extends Fact {}

export class LastSeqMoved extends Fact {
  constructor(
    readonly expected: number,
    readonly last: number,
  ) {
    super()
  }
}

/** A message of this id has the client id, and another payload. */
export class ClientIdTaken extends Fact {
  constructor(
    readonly clientId: string,
    readonly messageId: string,
  ) {
    super()
  }
}

/** An earlier message of the same append has the client id of this one, and another payload. */
export class RepeatedClientId extends Fact {
  /** @param index of the message in its append, from 0 */
  constructor(readonly index: number) {
    super()
  }
}

/** What a message is to continue is not in its conversation. */
export class ForeignParent extends Fact {
  /** @param index of the message in its append, from 0 */
  constructor(readonly index: number) {
    super()
  }
}

/** Both revisions are the message's own. */
export class RevisionMoved extends Fact {
  constructor(
    readonly expected: string,
    readonly revision: string,
  ) {
    super()
  }
}

/** New content was given beside old parts that hold text. */
export class PartsHoldText extends Fact {}

export class MessageStreams extends Fact {}

export class MessageStreamsNot extends Fact {}

/** Another attempt writes this message now. */
export class AttemptOver extends Fact {
  /** @param attempt the one that writes now */
  constructor(readonly attempt: number) {
    super()
  }
}

export class ChunkExpected extends Fact {
  constructor(readonly nextChunk: number) {
    super()
  }
}

/** In bytes, of the message with its chunks. */
export class TextTooLarge extends Fact {
  constructor(
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** A message of what is to be copied streams. */
export class CopyStreams extends Fact {
  constructor(readonly seq: number) {
    super()
  }
}

/** More is to be copied than there is. */
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

/** A path turns off more often than is looked at; in turns. */
export class PathTooLong extends Fact {
  constructor(
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** In bytes of rows; `actual` is the least that the answer has. */
export class AnswerTooLarge extends Fact {
  constructor(
    readonly limit: number,
    readonly actual: number,
  ) {
    super()
  }
}

/** In tokens; `needed` is what the newest turn takes, with all that always stays. */
export class ContextTooSmall extends Fact {
  constructor(
    readonly limit: number,
    readonly needed: number,
  ) {
    super()
  }
}

/** More callers wait for the database than may. */
export class TooManyWait extends Fact {}

/** Answers that are under way hold more memory than they may. */
export class TooManyAnswers extends Fact {}
