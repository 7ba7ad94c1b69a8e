import type { Limits } from '../../config.ts'
import { ApiError } from '../../errors.ts'
import type { GivenMessage } from '../../storage/message/given-message.ts'
import { givenColumns } from '../../storage/message/message-columns.ts'
import type { NewMessage } from '../../storage/message/new-message.ts'
import { isGiven } from '../input/is-given.ts'
import { jsonBytes } from '../input/json-rules.ts'
import { checkMessage } from './message-check.ts'

/**
 * Checks a message as its completion makes it.
 *
 * @param given all of the message as it would be
 * @param input what the producer gives of it
 * @throws ApiError that says how the message can be completed all the same
 */
export function checkCompleted(given: GivenMessage, input: GivenMessage, limits: Limits): NewMessage {
  try {
    return checkMessage('input', given, limits, 'apart')
  } catch (error) {
    throw error instanceof ApiError ? withWayOut(error, input) : error
  }
}

/** Names the fields without which the same completion would not have this fault. */
function withWayOut(error: ApiError, input: GivenMessage): ApiError {
  const given = Object.entries(input).filter(([field, value]) => isGiven(value) && completes(field))
  const [, named] = /^input\.(\w+)/.exec(String(error.extensions.path)) ?? []
  const bySize = given.sort(([, one], [, other]) => jsonBytes(other) - jsonBytes(one))
  const field = named ?? (error.code === 'PAYLOAD_TOO_LARGE' ? bySize[0]?.[0] : undefined)
  if (!given.some(([name]) => name === field)) return error
  const without = field === 'parts' ? ['parts', 'partsFormat'] : [field]
  const sentence = `${error.message} The message still streams, and its text is kept: complete it without ${without[0]}.`
  return new ApiError(error.code, sentence, { ...error.extensions, without })
}

function completes(field: string): boolean {
  return givenColumns.some(({ property, writers }) => property === field && writers.includes('completion'))
}
