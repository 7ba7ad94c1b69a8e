import type { FinalAnswer } from '../connection/final-answer.ts'
import type { MessageInput } from '../schema/types.ts'
import { storable } from './storable.ts'

const notStored = 'The result was not stored: '
const beginning = ' It begins: '
/** In characters: of a result that is not stored, the model reads so much. */
const beginningSize = 1_000

/**
 * The same messages with a failed result in place of the one that the server does not take: the one that its error names,
 * or else the largest. It tells the model what was wrong. null: it is no result, or it says nothing else already.
 */
export function withoutRefusedResult(
  messages: readonly MessageInput[],
  { code, path, message }: FinalAnswer,
): MessageInput[] | null {
  const [, named] = /^input\.messages\[(\d+)\]/.exec(path ?? '') ?? []
  // A frame that is larger than the server takes is refused before the server reads what is in it.
  const isFrame = code === 'PAYLOAD_TOO_LARGE' && path === null
  const refused = named === undefined ? (isFrame ? largestOf(messages) : undefined) : messages[Number(named)]
  if (refused?.role !== 'TOOL') return null
  const { content } = refused
  const less = shorten(content ?? '', path === null ? message : message.replace(path, 'it').replace('it:', 'it'))
  return less === content
    ? null
    : messages.map((one) => (one === refused ? { ...one, content: less, toolError: true } : one))
}

/** First without most of the text, then without any of it. */
function shorten(content: string, reason: string): string {
  const [told = ''] = content.split(beginning)
  if (told.startsWith(notStored)) return told
  return `${notStored}${reason}${beginning}${storable(content.slice(0, beginningSize))}`
}

function largestOf(messages: readonly MessageInput[]): MessageInput | undefined {
  return messages.toSorted((one, other) => (other.content?.length ?? 0) - (one.content?.length ?? 0))[0]
}
