import type { JsonRecord } from '../../../entities/json.ts'
import type { MessageRole } from '../../../entities/message/message-enums.ts'
import { type Output, ownPart, type Raw } from '../../items/item.ts'
import { changed, isRecord } from '../../items/json.ts'
import { sdkMetadata } from '../../items/sdk-metadata.ts'
import type { Step } from '../../items/step.ts'
import type { CallIdRule, Written } from '../dialect.ts'

/** The SDK takes an id of any length and of any characters. */
export const callIds: CallIdRule = { maxLength: Number.POSITIVE_INFINITY, unfit: null, mayRepeat: false }

/** `generateText` and `streamText` take instructions beside the messages, and refuse them among the messages. */
export function writeInstructions(steps: readonly Step[]): Written['system'] {
  const instructions = steps.flatMap(({ message: { role }, items }) => {
    if (role !== 'SYSTEM' && role !== 'DEVELOPER') return []
    return items.flatMap((item) => {
      const data = providerData(item)
      const options = data === null ? {} : { providerOptions: data }
      return item.kind === 'text' || item.kind === 'refusal' ? [{ role: 'system', content: item.text, ...options }] : []
    })
  })
  return instructions.length === 0 ? null : instructions
}

/** Providers refuse instructions of white space only. */
export function takesText(text: string, role: MessageRole): boolean {
  return (role !== 'SYSTEM' && role !== 'DEVELOPER') || text.trim() !== ''
}

/**
 * The provider's own data: `providerMetadata` in a part of a UIMessage, `providerOptions` in a part of a ModelMessage.
 */
export function providerData(item: { readonly raw: Raw | null }): JsonRecord | null {
  const { providerMetadata, providerOptions } = ownPart(item, 'AI_SDK') ?? {}
  return asProviderData(providerMetadata ?? providerOptions)
}

/** The SDK refuses what is not an object for each provider. */
export function asProviderData(data: unknown): JsonRecord | null {
  return isRecord(data) && Object.values(data).every(isRecord) ? data : null
}

/** The stored part. It loses optional fields that hold what the SDK refuses. */
export function sdkPart(item: { readonly raw: Raw | null }): JsonRecord | null {
  const own = ownPart(item, 'AI_SDK')
  return changed(own, (part, key) => {
    const isRefused = sdkMetadata.has(key) ? asProviderData(part[key]) === null : mayBe[key]?.(part[key]) === false
    if (isRefused) return undefined
    if (key === 'state' && (part.type === 'text' || part.type === 'reasoning'))
      return textStates.has(part[key]) ? part[key] : undefined
    if (key === 'id' && part.type === 'reasoning') return isText(part[key]) ? part[key] : undefined
    if (!isText(part.toolCallId) || !isText(part.state)) return part[key]
    if (key === 'approval') return approvalOf(part) ?? undefined
    if (key === 'output') return part.state === 'output-available' ? part[key] : undefined
    return key === 'errorText' && part.state !== 'output-error' ? undefined : part[key]
  }) as JsonRecord | null
}

/** The approval of a tool part, if the SDK takes it in a part of this state (`safeValidateUIMessages` of ai 7, 2026-11). */
export function approvalOf({ state, approval }: JsonRecord): JsonRecord | null {
  const made = changed(approval, (given, key) => ofApproval(key, given[key]))
  return isRecord(made) && isText(made.id) && isApprovalOf(state, made) ? made : null
}

function isApprovalOf(state: unknown, { approved, reason }: JsonRecord): boolean {
  switch (state) {
    case 'approval-requested':
      return approved === undefined && reason === undefined
    case 'approval-responded':
      return isYesOrNo(approved)
    case 'output-available':
    case 'output-error':
      return approved === true
    default:
      return state === 'output-denied' && approved === false
  }
}

function ofApproval(key: string, value: unknown): unknown {
  const isRefused = /^(reason|requestReason|signature)$/.test(key)
    ? !isText(value)
    : key === 'isAutomatic' && !isYesOrNo(value)
  return isRefused ? undefined : value
}

const textStates = new Set<unknown>(['streaming', 'done'])
const isText = (value: unknown) => typeof value === 'string'
const mayBeText = (value: unknown) => value === undefined || isText(value)
const isYesOrNo = (value: unknown) => typeof value === 'boolean'

/** What the schemas of ai 7 allow in optional fields (`safeValidateUIMessages`, 2026-11). */
const mayBe: Readonly<Record<string, (value: unknown) => boolean>> = {
  title: isText,
  citations: (value) => Array.isArray(value) && value.every(isCitation),
  filename: isText,
  toolMetadata: isRecord,
  providerExecuted: isYesOrNo,
  providerReference: (value) => isRecord(value) && Object.values(value).every(isText),
  preliminary: isYesOrNo,
  dynamic: (value) => value === false,
}

function isCitation(citation: unknown): boolean {
  if (!isRecord(citation) || !isRecord(citation.source)) return false
  const { startIndex: start, endIndex: end, citedText, source } = citation
  const { type, sourceType, id, url, mediaType, title, filename, providerMetadata: data } = source
  const isOneOf =
    sourceType === 'url'
      ? isText(url) && mayBeText(title)
      : sourceType === 'document' && [mediaType, title].every(isText)
  const isPlace = [start, end].every((at) => at === undefined || (Number.isSafeInteger(at) && Number(at) >= 0))
  const hasTexts = isText(id) && [citedText, filename].every(mayBeText)
  return type === 'source' && isOneOf && isPlace && hasTexts && (data === undefined || asProviderData(data) !== null)
}

/** The SDK knows no limit, but it passes pictures on to a provider: this is the smallest limit of those known here. */
export const maxImages = 100

export function textOfOutput(output: readonly Output[]): string {
  return output.map((item) => (item.kind === 'text' || item.kind === 'refusal' ? item.text : '')).join('')
}
