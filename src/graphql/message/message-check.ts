import { contractLimits, type Limits } from '../../config.ts'
import { MessageStatus } from '../../entities/message/message-enums.ts'
import type { ToolCall } from '../../entities/message/tool-call.ts'
import { badInput, tooLarge } from '../../errors.ts'
import type { GivenMessage, GivenToolCall } from '../../storage/message/given-message.ts'
import { appendColumns, type Check, givenColumns } from '../../storage/message/message-columns.ts'
import type { NewMessage } from '../../storage/message/new-message.ts'
import { hashPayload } from '../../storage/message/payload-hash.ts'
import { textOfParts } from '../../window/dialects/read-parts.ts'
import { isGiven } from '../input/is-given.ts'
import { jsonBytes, requireMetadata } from '../input/json-rules.ts'
import { requirePast } from '../input/past-time.ts'
import { requireName, requireStorable } from '../input/text-rules.ts'

/**
 * `together`: all fields of the message together have at most `messageBytes`. `apart`: its text has at most so many,
 * and its other fields together, too: whoever streamed as much text as a message may have can still complete the
 * message.
 */
type Measure = 'together' | 'apart'

/**
 * Checks what a caller gives of a message, and adds what the server adds. null is the same as absent.
 *
 * @param path where the message stands in the input, for the errors
 * @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE
 */
export function checkMessage(
  path: string,
  given: GivenMessage,
  limits: Limits,
  measure: Measure = 'together',
): NewMessage {
  const values: Record<string, unknown> = { ...nulls }
  for (const { property, check } of givenColumns) {
    const value = given[property]
    if (!isGiven(value)) continue
    checks[check](`${path}.${property}`, value as never, limits)
    values[property] = value
  }
  requireSubstance(path, given)
  const size = countBytes(given)
  if (size > limits.messageBytes) requireFit(path, given, size, limits.messageBytes, measure)
  const derived = isGiven(given.content) ? null : textOfParts(given.parts ?? null, given.partsFormat ?? null)
  values.content = given.content ?? derived
  values.toolCalls = given.toolCalls?.map(completeCall) ?? []
  values.metadata = given.metadata ?? {}
  values.payloadHash = isGiven(given.clientId) ? hashPayload(given) : null
  values.size = size + (derived === null ? 0 : Buffer.byteLength(derived))
  values.status = MessageStatus.COMPLETE
  return values as unknown as NewMessage
}

function completeCall({ callId, name, arguments: text, type, extra }: GivenToolCall): ToolCall {
  return { callId, name, arguments: text, type: type ?? 'function', extra: extra ?? null }
}

const nulls = Object.fromEntries(appendColumns.map(({ property }) => [property, null]))

const checks: { readonly [C in Check]: (path: string, value: never, limits: Limits) => void } = {
  name: (path, value: string) => requireName(path, value, contractLimits.name),
  text: requireStorable,
  parts: (path, value: readonly unknown[], limits) => requireCount(path, value, limits.parts),
  toolCalls: requireCalls,
  metadata: requireMetadata,
  past: requirePast,
  type: () => {},
}

function requireCalls(path: string, calls: readonly GivenToolCall[], limits: Limits): void {
  requireCount(path, calls, limits.toolCalls)
  for (const [index, call] of calls.entries()) {
    const at = `${path}[${index}]`
    requireName(`${at}.callId`, call.callId, contractLimits.name)
    requireName(`${at}.name`, call.name, contractLimits.name)
    requireStorable(`${at}.arguments`, call.arguments)
    if (isGiven(call.type)) requireName(`${at}.type`, call.type, contractLimits.name)
  }
}

function requireCount(path: string, { length }: readonly unknown[], limit: number): void {
  if (length > limit) throw tooLarge(path, 'items', limit, length)
}

function requireSubstance(path: string, { role, content, parts, toolCalls, toolCallId }: GivenMessage): void {
  const isEmpty = !isGiven(content) && !parts?.length && !toolCalls?.length
  if (isEmpty) throw badInput(path, 'a message needs content, parts or tool calls.')
  if (role === 'TOOL' && !isGiven(toolCallId)) {
    throw badInput(`${path}.toolCallId`, 'a TOOL message must say which call it answers.')
  }
}

/** A text that stands both in `content` and in the text parts counts once. */
function requireFit(path: string, given: GivenMessage, size: number, limit: number, measure: Measure): void {
  const { content, parts, partsFormat } = given
  const isInBoth = isGiven(content) && content === textOfParts(parts ?? null, partsFormat ?? null)
  const counted = isInBoth ? size - (jsonBytes(content) - quotes) : size
  const text = measure === 'apart' ? Buffer.byteLength(content ?? '') : 0
  if (text > limit) throw tooLarge(`${path}.content`, 'bytes', limit, text)
  if (counted - text > limit)
    throw tooLarge(path, text === 0 ? 'bytes' : 'bytes beside its text', limit, counted - text)
}

/** How many bytes the quotes of a JSON text have. */
const quotes = 2

/**
 * How many UTF-8 bytes the caller wrote; JSON counts as text. An empty list or object is the same as none, and counts
 * 0.
 */
function countBytes(given: GivenMessage): number {
  let bytes = 0
  for (const value of Object.values(given)) {
    if (typeof value === 'string') bytes += Buffer.byteLength(value)
    else if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) bytes += jsonBytes(value)
  }
  return bytes
}
