import { Message } from '../../entities/message/message.ts'
import { parentSeqOf } from '../../storage/branch/message-siblings.ts'
import { placeIn } from '../../storage/message/message.ts'
import type { Context } from '../context.ts'
import { readMessageId } from '../input/message-id.ts'
import type { Selected } from '../selection/by-field.ts'
import { selectsPlace } from '../selection/selected-columns.ts'

/** The description of the field, for each type that has it. @param of which messages were appended */
export const changedSiblingsOf = (of: string) =>
  `The older versions of ${of}, whose \`siblings\` have changed thereby: at most 100 around each. Select \`id\` and \`siblings\` of them, and a cache that keeps messages by \`id\` is up to date. Empty if nothing branched.`

/**
 * The siblings that messages had when they were appended. If a selection asks only for their places, which is enough
 * for a cache, none of them is read.
 */
export async function changedSiblings(
  appended: readonly Message[],
  { loaders }: Context,
  selected: Selected,
): Promise<Message[]> {
  // A message that stands directly behind its parent was the first to continue it.
  const beside = appended.filter(({ parentSeq }) => parentSeq !== null)
  const families = await Promise.all(beside.map((message) => loaders.siblings.load(message)))
  const own = new Set(appended.map(({ id }) => id))
  const older = new Map<string, Message>()
  for (const [index, { ids }] of families.entries()) {
    for (const id of ids) if (!own.has(id)) older.set(id, placedBeside(beside[index] as Message, id))
  }
  const placed = [...older.values()]
  if (selectsPlace(selected)) return placed
  const read = await Promise.all(
    placed.map(({ conversation, seq }) => loaders.messageAt.load(placeIn(conversation, seq))),
  )
  return read.filter((message) => message !== null)
}

/** A message of which only the place is known. */
function placedBeside(message: Message, id: string): Message {
  const { conversation } = message
  const { seq } = readMessageId(id)
  return Object.assign(new Message(), { conversation, seq, parentSeq: parentSeqOf(message) })
}
