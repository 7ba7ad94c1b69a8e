import type { JsonRecord } from '../../../entities/json.ts'
import { type File, type Output, ownPart, type Raw } from '../../items/item.ts'
import { isRecord } from '../../items/json.ts'
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
      return item.kind === 'text' ? [{ role: 'system', content: item.text, ...options }] : []
    })
  })
  return instructions.length === 0 ? null : instructions
}

/**
 * The provider's own data: `providerMetadata` in a part of a UIMessage, `providerOptions` in a part of a ModelMessage.
 */
export function providerData(item: { readonly raw: Raw | null }): JsonRecord | null {
  const { providerMetadata, providerOptions } = ownPart(item, 'AI_SDK') ?? {}
  const data = providerMetadata ?? providerOptions
  return isRecord(data) ? data : null
}

/** The SDK knows no limit, but it passes pictures on to a provider: this is the smallest limit of those known here. */
export const maxImages = 100

/** What names a file that lies with a provider, in the form that the SDK's `uploadFile` returns. */
export function providerReference(file: File): JsonRecord | null {
  const { providerReference: ofUi, data } = ownPart(file, 'AI_SDK') ?? {}
  const reference = ofUi ?? (isRecord(data) && data.type === 'reference' ? data.reference : null)
  return isRecord(reference) ? reference : null
}

export function textOfOutput(output: readonly Output[]): string {
  return output.map((item) => (item.kind === 'text' || item.kind === 'refusal' ? item.text : '')).join('')
}
