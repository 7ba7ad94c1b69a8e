import type { JsonRecord } from '../entities/json.ts'
import { urlOf } from './file-source.ts'
import type { File, Raw } from './items.ts'
import { isRecord } from './json.ts'
import { ownPart } from './raw.ts'

/** What a part of a UIMessage calls `providerMetadata`, a part of a ModelMessage calls `providerOptions`. */
export function providerData(item: { readonly raw: Raw | null }): JsonRecord | null {
  const { providerMetadata, providerOptions } = ownPart(item, 'AI_SDK') ?? {}
  const data = providerMetadata ?? providerOptions
  return isRecord(data) ? data : null
}

/** A URL that the SDK can read; it makes a `URL` of it. */
export function fileUrl(file: File): string | null {
  const url = urlOf(file)
  return url !== null && URL.canParse(url) ? url : null
}

/** Where the bytes lie with a provider: as the SDK's `uploadFile` answers it. */
export function providerReference(file: File): JsonRecord | null {
  const { providerReference: ofUi, data } = ownPart(file, 'AI_SDK') ?? {}
  const reference = ofUi ?? (isRecord(data) && data.type === 'reference' ? data.reference : null)
  return isRecord(reference) ? reference : null
}
