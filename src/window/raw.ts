import type { JsonRecord } from '../entities/json.ts'
import type { PartsFormat } from '../entities/message-enums.ts'
import type { Raw } from './items.ts'
import { isRecord } from './json.ts'

/** The part as it was stored, when it is of this dialect. */
export function ownPart(item: { readonly raw: Raw | null }, format: PartsFormat): JsonRecord | null {
  return item.raw?.format === format && isRecord(item.raw.part) ? item.raw.part : null
}
