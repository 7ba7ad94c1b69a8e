import { readGlobalId } from '../../entities/ids/global-id.ts'
import type { Place } from '../../entities/ids/place.ts'
import { messageNotFound } from '../../errors.ts'

/** The place that a message's `id` names. @throws ApiError NOT_FOUND if the text is not a message's id */
export function readMessageId(messageId: string): Place {
  const id = readGlobalId(messageId)
  if (id.kind !== 'message') throw messageNotFound()
  return id.place
}
