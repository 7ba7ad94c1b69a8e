import { Fault } from '../fault.ts'
import type { Format, ReadConversation } from '../told/conversation.ts'
import { hasText } from '../told/record.ts'
import type { Told } from '../told/told.ts'
import { aiSdk } from './ai-sdk.ts'
import { chatGpt } from './chatgpt.ts'
import { claude } from './claude.ts'
import { openAi } from './openai.ts'
import { shareGpt } from './sharegpt.ts'

/** In the order in which they are tried: `openai` fits most, and is last. */
const detected: readonly Format[] = [chatGpt, claude, shareGpt, aiSdk, openAi]

export const formatNames: readonly string[] = detected.map(({ name }) => name).toReversed()

/**
 * Reads a value of a file as a conversation.
 *
 * @param name of the format; null: the format that the value fits
 * @throws Fault if nothing of it can be read
 */
export function readConversation(value: unknown, name: string | null, told: Told): ReadConversation {
  const format = detected.find((one) => (name === null ? one.fits(value) : one.name === name))
  if (format === undefined) {
    throw new Fault(`is in no format that is known (${formatNames.join(', ')}).`, 'in no format that is known')
  }
  return format.read(value, told)
}

/** Whether a value is a message, so that a list of such values is one conversation. */
export function isMessage(value: unknown): boolean {
  return hasText(value, 'role') || hasText(value, 'from')
}
