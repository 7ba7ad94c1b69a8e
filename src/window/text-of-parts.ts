import type { PartsFormat } from '../entities/message-enums.ts'
import { readParts } from './read-parts.ts'

/** The text parts of a message joined with nothing; null when it has none, or its dialect is not known. */
export function textOfParts(parts: readonly unknown[] | null, format: PartsFormat | null): string | null {
  const texts = readParts(parts ?? [], format).flatMap((item) => (item.kind === 'text' ? [item.text] : []))
  return texts.length === 0 ? null : texts.join('')
}
