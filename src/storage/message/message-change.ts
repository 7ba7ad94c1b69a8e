import type { Message } from '../../entities/message/message.ts'
import type { MessageStatus, PartsFormat } from '../../entities/message/message-enums.ts'
import { PartsHoldText } from '../../facts.ts'
import { textOfParts } from '../../window/dialects/read-parts.ts'
import type { GivenMessage } from './given-message.ts'
import { givenColumns } from './message-columns.ts'
import { authorshipOf, type NewMessage } from './new-message.ts'

/**
 * Checks all that a caller gave of a message, and adds what the server adds. Throws if something is not allowed.
 *
 * @param stored the message before the change
 */
export type CheckMessage = (given: GivenMessage, stored: Message) => NewMessage

/**
 * The message after an edit. A property that the edit does not name stays; null clears it. The client id still stands
 * for the payload with which the message was appended.
 *
 * @throws PartsHoldText, and what `check` throws
 */
export function editedMessage(stored: Message, edit: GivenMessage, check: CheckMessage): NewMessage {
  requireOneText(stored, edit)
  const edited = carryOver(stored, edit, 'edit')
  const content = edit.content !== undefined ? edit.content : editedText(stored, edit.parts ?? [], edited.partsFormat)
  // `check` may derive the content from the parts. A content that the edit cleared stays cleared.
  return { ...check({ ...edited, content }, stored), content, payloadHash: null, ...authorshipOf(stored) }
}

/**
 * People read `content`, and models read `parts`. If an edit changed only the content, the parts would keep the old
 * text.
 *
 * @throws PartsHoldText
 */
function requireOneText({ content, parts, partsFormat }: Message, edit: GivenMessage): void {
  const changesText = edit.content !== undefined && edit.content !== content
  if (changesText && edit.parts === undefined && textOfParts(parts, partsFormat) !== null) {
    throw new PartsHoldText()
  }
}

/**
 * The content after an edit of the parts: the text of the new parts, or null if they have none. Without new parts, or
 * if their format is not known, the content stays.
 */
function editedText(stored: Message, parts: readonly unknown[], format: PartsFormat | null = null): string | null {
  if (parts.length === 0 || format === null || format === 'OTHER') return stored.content
  return textOfParts(parts, format)
}

/**
 * The message after a completion. A property that the completion does not name, or names with null, stays as it was
 * started. Only a failed or cancelled message may be empty.
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
  // null keeps the payload hash of the start: a retry of the start is compared with that hash.
  const kept = { payloadHash: null, ...authorshipOf(stored) }
  if (!isEmpty || status === 'COMPLETE') return { ...check(completed, stored), ...kept }
  return { ...check({ ...completed, content: '' }, stored), content: null, ...kept }
}

function withoutNulls(given: GivenMessage): GivenMessage {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

/**
 * All that callers gave of a message, with a change in it. A property that the change does not name, or may not change,
 * keeps its stored value. Metadata is merged at its top level. No change touches what only an import gives.
 */
function carryOver(stored: Message, change: GivenMessage, writer: 'edit' | 'completion'): GivenMessage {
  const carried = givenColumns.filter(({ writers }) => writers.includes('append'))
  const values = carried.map(({ property, writers }) => {
    const isChanged = writers.includes(writer) && change[property] !== undefined
    return [property, isChanged ? change[property] : stored[property]]
  })
  const metadata = change.metadata === null ? null : { ...stored.metadata, ...change.metadata }
  return { ...Object.fromEntries(values), metadata }
}
