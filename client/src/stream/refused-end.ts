import type { Completion } from './message-stream.ts'
import type { StreamError } from './stream-error.ts'

/** The code of `error` of a message whose end was stored without some field. */
export const notStored = 'NOT_STORED'

/** The fields that an end can do without: the text of the message is stored already. */
const spare = ['parts', 'toolCalls', 'usage', 'metadata', 'content', 'model', 'finishReason', 'error'] as const

type Spare = (typeof spare)[number]

/** The end without the fields that JSON cannot hold, as big integers and cycles. */
export function withoutUnsendable(end: Completion): Completion {
  return spare.reduce((kept, field) => {
    try {
      JSON.stringify(end[field])
      return kept
    } catch (error) {
      return without(kept, field, (error as Error).message)
    }
  }, end)
}

/**
 * The same end without the field that the server does not take: the one that its error names, or else the largest. The
 * `error` of the message says what is left out. null: there is nothing to leave out.
 */
export function withoutRefused(end: Completion, { code, path, message }: StreamError): Completion | null {
  // There is no text either. What was left out before may have been all that the message had to say.
  const isEmpty = code === 'BAD_USER_INPUT' && path === 'input'
  if (isEmpty) return end.error?.code === notStored && end.content == null ? { ...end, content: '' } : null
  const given = spare.filter((field) => end[field] != null && !(field === 'error' && end.error?.code === notStored))
  const [, named = ''] = /^input\.([a-z]+)/i.exec(path ?? '') ?? []
  const bySize = given.toSorted((one, other) => sizeOf(end[other]) - sizeOf(end[one]))
  const field = given.find((name) => named === name || (name === 'parts' && named === 'partsFormat')) ?? bySize[0]
  return field === undefined ? null : without(end, field, message)
}

/** The end of a message that was written with what no server stores. */
export function withAlteredText(end: Completion): Completion {
  return saying(end, 'content: NUL and single halves of surrogate pairs were stored as U+FFFD.')
}

/** GraphQL quotes the value that it refuses, and says the reason behind it. */
const quoted = /^Variable .*"; /s

function without(end: Completion, field: Spare, reason: string): Completion {
  const left: Completion = { ...end, [field]: null, ...(field === 'parts' ? { partsFormat: null } : {}) }
  return saying(left, `${field}: ${reason.replace(quoted, '')}`)
}

function saying(end: Completion, sentence: string): Completion {
  const { code, message } = end.error ?? { code: notStored, message: null }
  return { ...end, error: { code, message: message === null ? sentence : `${message} ${sentence}` } }
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value)?.length ?? 0
}
