import type { QuotaName } from './facts.ts'

/** Every `extensions.code` that Colloquy itself sends. GraphQL has codes of its own for parsing and validation. */
export const errorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'CONFLICT',
  'CURSOR_EXPIRED',
  'PAYLOAD_TOO_LARGE',
  'COST_LIMIT',
  'QUOTA_EXCEEDED',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** An error whose sentence and extensions the caller may see. Anything else is logged and masked at the edge. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  /** GraphQL passes them on to the caller. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, sentence: string, extensions: Record<string, unknown> = {}) {
    super(sentence)
    this.code = code
    this.extensions = { code, ...extensions }
  }
}

/**
 * The server cannot start, or a command cannot do what it was told, and its operator can do something about that: `main`
 * prints the sentence and exits with 1.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

/** The request has no viewer, or the server does not accept its proof of one. */
export function unauthenticated(sentence: string): ApiError {
  return new ApiError('UNAUTHENTICATED', sentence)
}

/** The caller is known, but may not do this. */
export function forbidden(sentence: string): ApiError {
  return new ApiError('FORBIDDEN', sentence)
}

/** The same answer for a conversation that does not exist and for one that the viewer may not know of. */
export function conversationNotFound(): ApiError {
  return new ApiError('NOT_FOUND', 'You have no conversation of that id.')
}

/** The same for a message. Whoever wants to change a deleted message gets this answer too. */
export function messageNotFound(): ApiError {
  return new ApiError('NOT_FOUND', 'You have no such message; it may have been deleted.')
}

export function callNotFound(): ApiError {
  return new ApiError('NOT_FOUND', 'This message has no tool call of that id.')
}

/** @param path where in the input, for example `messages[2].toolCallId` */
export function badInput(path: string, sentence: string): ApiError {
  return new ApiError('BAD_USER_INPUT', `${path}: ${sentence}`, { path })
}

/** @param unit the unit of `limit` and `actual` */
export function tooLarge(path: string, unit: string, limit: number, actual: number): ApiError {
  const sentence = `${path} has ${actual} ${unit}, and at most ${limit} are allowed.`
  return new ApiError('PAYLOAD_TOO_LARGE', sentence, { path, limit, actual })
}

/** @param actual how many bytes the answer has at least: rows beyond the limit were not read */
export function answerTooLarge(path: string, limit: number, actual: number): ApiError {
  return new ApiError(
    'PAYLOAD_TOO_LARGE',
    `The rows of this answer have ${actual} bytes or more, and at most ${limit} are allowed; ask for fewer at once.`,
    { path, limit, actual },
  )
}

/** An operation that is refused before it runs, because of what it may cost. */
export function costsTooMuch(cost: number, limit: number): ApiError {
  return new ApiError(
    'COST_LIMIT',
    `This operation may cost ${cost}, and at most ${limit} is allowed; ask for smaller pages, for fewer things, or in several operations.`,
    { cost, limit },
  )
}

/** An operation that has read too much. @param cost how many rows it has read, in `path` the last of them */
export function readsTooMuch(path: string, cost: number, limit: number): ApiError {
  return new ApiError(
    'COST_LIMIT',
    `This operation has read ${cost} rows, and at most ${limit} are allowed; ask for fewer at once.`,
    { path, cost, limit },
  )
}

/** @param seconds whole, after which it is worth trying again */
export function rateLimited(whose: string, seconds: number): ApiError {
  return new ApiError('RATE_LIMITED', `${whose} has used up its rate; try again in ${seconds} s.`, {
    retryAfter: seconds,
  })
}

/** A write for which a user has no room left. Nothing was stored. @param used how much the user has */
export function quotaExceeded(quota: QuotaName, limit: number, used: number): ApiError {
  const sentence = `There is no room for this: you have ${used} ${has[quota]}, and at most ${limit} are allowed.`
  return new ApiError('QUOTA_EXCEEDED', `${sentence} ${wayOut[quota]}`, { quota, limit, used })
}

const has: Record<QuotaName, string> = {
  conversations: 'conversations',
  bytes: 'bytes of messages',
  streams: 'messages that stream',
}

const wayOut: Record<QuotaName, string> = {
  conversations: 'Delete a conversation, and try again.',
  bytes: 'Delete messages or conversations, and try again.',
  streams: 'Complete one of them, and try again.',
}

/** @param needed how many tokens the newest turn takes, together with all that is always in the window */
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

export function clientIdTaken(clientId: string, messageId: string | null): ApiError {
  return new ApiError(
    'CONFLICT',
    `Another message of this conversation has the client id ${JSON.stringify(clientId)}.`,
    {
      reason: 'CLIENT_ID',
      ...(messageId === null ? {} : { messageId }),
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

/** @param userId who answered the call */
export function callAnswered(userId: string, approved: boolean): ApiError {
  const did = approved ? 'approved' : 'refused'
  return new ApiError('CONFLICT', `${JSON.stringify(userId)} has ${did} this call already; the first answer stays.`, {
    reason: 'CALL_ANSWERED',
    userId,
    approved,
  })
}

export function callOver(): ApiError {
  return new ApiError('CONFLICT', 'This call has its result already.', { reason: 'CALL_OVER' })
}

/** @param userId who has the conversation */
export function takenOver(userId: string): ApiError {
  const sentence = `${JSON.stringify(userId)} has taken this conversation over; wait until it is handed back.`
  return new ApiError('CONFLICT', sentence, { reason: 'TAKEN_OVER', userId })
}

/** @param revision the message's present revision */
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

/** @param attempt the attempt that writes now */
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

/** @param seq the first message to copy that is streaming */
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
    'The server cannot tell any more what changed after this cursor; read the list again from the start.',
  )
}

/** The caller may try again: always with a client id, and otherwise only if it knows that nothing was stored. */
export function unavailable(sentence: string): ApiError {
  return new ApiError('UNAVAILABLE', sentence)
}
