import { FinalError, finalAnswer } from '../connection/final-answer.ts'
import type { Streaming } from './stream-calls.ts'

/** What the server answered, where trying again would not help. */
export class StreamError extends FinalError {
  override readonly name = 'StreamError'
  /** Of a conflict: `NOT_STREAMING`, `ATTEMPT`, `LAST_SEQ`, `CLIENT_ID`, or `STARTED`: another one has written to it. */
  declare readonly reason: string | null
}

/** @param thrown by a call. @returns null: the call may be tried again */
export function finalError(thrown: unknown): StreamError | null {
  if (thrown instanceof StreamError) return thrown
  const answer = finalAnswer(thrown)
  return answer === null ? null : new StreamError(answer.code, answer.reason, answer.message, answer.path)
}

/** What became of a message that was started before this start was answered. */
export function isOver({ deletedAt }: Streaming): StreamError {
  if (deletedAt !== null) return new StreamError('NOT_FOUND', null, 'This message was deleted.')
  return new StreamError('CONFLICT', 'NOT_STREAMING', 'This message is not streaming any more.')
}

export function startedByAnother(messageId: string): StreamError {
  const sentence = `Another producer has written to this message; pass messageId ${messageId} to take it over.`
  return new StreamError('CONFLICT', 'STARTED', sentence)
}

export function writtenByAnother(next: number): StreamError {
  const sentence = `The server expects chunk ${next}: not only this producer has written.`
  return new StreamError('CONFLICT', 'CHUNK', sentence)
}
