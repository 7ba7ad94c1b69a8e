import type { Message } from '../../entities/message.ts'
import type { MessageStatus, PartsFormat } from '../../entities/message-enums.ts'
import { PartsHoldText } from '../../facts.ts'
import { textOfParts } from '../../window/dialects/read-parts.ts'
import type { GivenMessage } from './given-message.ts'
import { givenColumns } from './message-columns.ts'
import type { NewMessage } from './new-message.ts'

/** Checks all that callers gave of a message and completes it, or throws. */
export type CheckMessage = (given: GivenMessage) => NewMessage

/**
 * The message as an edit leaves it. What the edit does not name stays; null clears. The client id goes on standing for the
 * payload that the message was appended with.
 *
 * @throws PartsHoldText, and what `check` throws
 */
export function editedMessage(stored: Message, edit: GivenMessage, check: CheckMessage): NewMessage {
  requireOneText(stored, edit)
  const edited = carryOver(stored, edit, 'edit')
  const content = edit.content !== undefined ? edit.content : editedText(stored, edit.parts ?? [], edited.partsFormat)
  // A content that was cleared is not derived again.
  return { ...check({ ...edited, content }), content, payloadHash: null }
}

/**
 * People read `content`, and models read the parts: one that was changed alone would leave the other as it was.
 *
 * @throws PartsHoldText
 */
function requireOneText({ content, parts, partsFormat }: Message, edit: GivenMessage): void {
  const changesText = edit.content !== undefined && edit.content !== content
  if (changesText && edit.parts === undefined && textOfParts(parts, partsFormat) !== null) {
    throw new PartsHoldText()
  }
}

/** What new parts say: nothing too, when they have no text. Without new parts of a known dialect, what the message says. */
function editedText(stored: Message, parts: readonly unknown[], format: PartsFormat | null = null): string | null {
  if (parts.length === 0 || format === null || format === 'OTHER') return stored.content
  return textOfParts(parts, format)
}

/**
 * The message as a completion leaves it; what the completion does not name, or names with null, stays as it was started. Only
 * a message that was broken off may be empty.
 *
 * @param stored with the text of its chunks as its content
 * @throws what `check` throws
 */
export function completedMessage(
  stored: Message,
  completion: GivenMessage,
  status: MessageStatus,
  check: CheckMessage,
): NewMessage {
  const completed = carryOver(stored, withoutNulls(completion), 'completion')
  const isEmpty = completed.content === null && !completed.parts?.length && !completed.toolCalls?.length
  // A completion is not what the message was started with: that is what a retry of the start is compared with.
  if (!isEmpty || status === 'COMPLETE') return { ...check(completed), payloadHash: null }
  return { ...check({ ...completed, content: '' }), content: null, payloadHash: null }
}

function withoutNulls(given: GivenMessage): GivenMessage {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

/**
 * All that callers gave of a message, with a change in it: what the change leaves out, or may not change, is carried over.
 * Metadata is merged at its top level.
 */
function carryOver(stored: Message, change: GivenMessage, writer: 'edit' | 'completion'): GivenMessage {
  const values = givenColumns.map(({ property, writers }) => {
    const isChanged = writers.includes(writer) && change[property] !== undefined
    return [property, isChanged ? change[property] : stored[property]]
  })
  const metadata = change.metadata === null ? null : { ...stored.metadata, ...change.metadata }
  return { ...Object.fromEntries(values), metadata }
}
