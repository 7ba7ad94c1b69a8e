/** Every `extensions.code` that Colloquy itself sends; GraphQL's own parse and validation codes stand beside them. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'BAD_USER_INPUT'
  | 'CONFLICT'
  | 'CURSOR_EXPIRED'
  | 'PAYLOAD_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'INTERNAL_SERVER_ERROR'

/** An error whose sentence and extensions the caller may see. Anything else is logged and masked at the edge. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  /** GraphQL hands them on to the caller. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, sentence: string, extensions: Record<string, unknown> = {}) {
    super(sentence)
    this.code = code
    this.extensions = { code, ...extensions }
  }
}

/** The server cannot start, and its operator can do something about it: `main` prints the sentence and exits with 1. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

/** The request has no viewer, or its proof of one is not accepted. */
export function unauthenticated(sentence: string): ApiError {
  return new ApiError('UNAUTHENTICATED', sentence)
}

/** The caller is known, and may not do this. */
export function forbidden(sentence: string): ApiError {
  return new ApiError('FORBIDDEN', sentence)
}

/** The one answer for what does not exist and for what the viewer may not know to exist. */
export function conversationNotFound(): ApiError {
  return new ApiError('NOT_FOUND', 'You have no conversation of that id.')
}

/** Likewise for a message, which is also what a deleted one is to whoever would change it. */
export function messageNotFound(): ApiError {
  return new ApiError('NOT_FOUND', 'You have no such message; it may have been deleted.')
}

/** @param path where in the input, for example `messages[2].toolCallId` */
export function badInput(path: string, sentence: string): ApiError {
  return new ApiError('BAD_USER_INPUT', `${path}: ${sentence}`, { path })
}

/** @param limit and actual in the unit that the sentence names */
export function tooLarge(path: string, unit: string, limit: number, actual: number): ApiError {
  const sentence = `${path} has ${actual} ${unit}, and at most ${limit} are allowed.`
  return new ApiError('PAYLOAD_TOO_LARGE', sentence, { path, limit, actual })
}

/** @param actual the least that the answer has: rows beyond the limit were not read */
export function answerTooLarge(path: string, limit: number, actual: number): ApiError {
  return new ApiError(
    'PAYLOAD_TOO_LARGE',
    `The rows of this answer have ${actual} bytes or more, and at most ${limit} are allowed; ask for fewer at once.`,
    { path, limit, actual },
  )
}

/** @param needed the tokens that the newest turn, and what always stays, take together */
export function contextTooSmall(limit: number, needed: number): ApiError {
  return new ApiError(
    'BAD_USER_INPUT',
    `maxTokens: the newest turn, with the system messages and the reserve, takes ${needed} tokens, and ${limit} were given.`,
    { path: 'maxTokens', reason: 'CONTEXT_TOO_SMALL', limit, needed },
  )
}

export function conversationExists(): ApiError {
  const wayOut = 'choose another id, or get it by createConversation with ifExists: RETURN'
  return new ApiError('CONFLICT', `You already have a conversation of that id; ${wayOut}.`, { reason: 'EXISTS' })
}

export function clientIdTaken(clientId: string, messageId: string): ApiError {
  return new ApiError(
    'CONFLICT',
    `Another message of this conversation has the client id ${JSON.stringify(clientId)}.`,
    {
      reason: 'CLIENT_ID',
      messageId,
    },
  )
}

export function lastSeqMoved(expected: number, lastSeq: number): ApiError {
  return new ApiError(
    'CONFLICT',
    `The conversation's last seq is ${lastSeq} and not ${expected}; read on and try again.`,
    {
      reason: 'LAST_SEQ',
      lastSeq,
    },
  )
}

/** @param revision the message's own, as it is now */
export function revisionMoved(expected: string, revision: string): ApiError {
  return new ApiError('CONFLICT', `The message's revision is ${revision} and not ${expected}; read it and try again.`, {
    reason: 'REVISION',
    revision,
  })
}

/** @param nextChunk the number of the chunk that is expected */
export function chunkExpected(nextChunk: number): ApiError {
  return new ApiError('CONFLICT', `The next chunk is ${nextChunk}; send the chunks from there on.`, {
    reason: 'CHUNK',
    nextChunk,
  })
}

/** @param attempt the one that writes now */
export function attemptIsOver(attempt: number): ApiError {
  return new ApiError('CONFLICT', `Attempt ${attempt} has taken this message over.`, { reason: 'ATTEMPT', attempt })
}

export function notStreaming(): ApiError {
  return new ApiError('CONFLICT', 'This message is not streaming any more.', { reason: 'NOT_STREAMING' })
}

export function isStreaming(): ApiError {
  return new ApiError('CONFLICT', 'This message is still streaming; complete it, or delete it.', {
    reason: 'STREAMING',
  })
}

/** @param seq the first of those that were to be copied and are streaming */
export function copiesStreaming(seq: number): ApiError {
  return new ApiError(
    'CONFLICT',
    `Message ${seq} is still streaming; complete it, or copy only what comes before it.`,
    {
      reason: 'STREAMING',
      seq,
    },
  )
}

export function cursorExpired(): ApiError {
  return new ApiError(
    'CURSOR_EXPIRED',
    'This cursor is of an earlier conversation of the same id; read the conversation again from the start.',
  )
}

export function listCursorExpired(): ApiError {
  return new ApiError(
    'CURSOR_EXPIRED',
    'This cursor is older than deleted conversations are remembered; read the list again from the start.',
  )
}

/** The caller may try again: with a client id always, and otherwise when it knows that nothing was stored. */
export function unavailable(sentence: string): ApiError {
  return new ApiError('UNAVAILABLE', sentence)
}
