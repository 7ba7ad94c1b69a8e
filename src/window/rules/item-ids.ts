import type { JsonRecord } from '../../entities/json.ts'
import type { PartsFormat } from '../../entities/message-enums.ts'
import type { Result, Said } from '../items/item.ts'
import { isRecord } from '../items/json.ts'
import { sdkMetadata, withoutOptions } from '../items/sdk-metadata.ts'

/** Reasoning that stands before items of the same response. */
export interface Reasoned {
  readonly format: PartsFormat
  readonly isKept: boolean
}

/**
 * OpenAI gives an id to each item of a response, and refuses an item with an id if the reasoning that came before it in
 * the response is missing: "was provided without its required 'reasoning' item". It accepts the item without the id.
 * https://developers.openai.com/api/docs/guides/reasoning and the errors of the API, read 2026-11. So the ids of the items
 * behind reasoning that is left out are left out too, until reasoning comes that is kept. In the AI SDK the metadata of
 * parts has these ids. This goes over the items of an assistant in their order.
 */
export class ItemIds {
  /** The last reasoning; null: there was none. */
  reasoned: Reasoned | null
  /** The stored parts whose ids are left out. A call and its result may be one part, and stay one. */
  readonly #bare = new Map<unknown, unknown>()

  constructor(reasoned: Reasoned | null = null) {
    this.reasoned = reasoned
  }

  /** The items that are `kept`. `leaveOut` is called for an item that cannot be without its id, and is not kept. */
  of(items: readonly Said[], kept: ReadonlySet<Said>, leaveOut: () => void): Said[] {
    return items.flatMap((item) => {
      const isKept = kept.has(item)
      const { raw } = item
      if (isReasoning(item) && raw !== null) this.reasoned = { format: raw.format, isKept }
      if (!isKept) return []
      if (this.reasoned?.isKept !== false || raw?.format !== this.reasoned.format) return [item]
      const { part, within, format } = raw
      if (item.kind !== 'call' && within === undefined && format === 'OPENAI_RESPONSES' && hasId(part)) {
        leaveOut()
        return []
      }
      const bare = { ...raw, part: this.#without(part, format) }
      const whole = within === undefined ? bare : { ...bare, within: this.#without(within, format) }
      return [{ ...item, raw: whole } as Said]
    })
  }

  ofResult(result: Result): Result {
    const part = this.#bare.get(result.raw?.part)
    return result.raw === null || part === undefined ? result : { ...result, raw: { ...result.raw, part } }
  }

  #without(part: unknown, format: PartsFormat): unknown {
    const bare = this.#bare.get(part) ?? (isRecord(part) ? withoutId(part, format) : part)
    this.#bare.set(part, bare)
    return bare
  }
}

/** A reference to reasoning that lies with OpenAI stands for it. */
function isReasoning({ kind, raw }: Said): boolean {
  if (kind === 'reasoning') return true
  return kind === 'other' && raw.format === 'OPENAI_RESPONSES' && hasId(raw.part) && raw.part.id.startsWith('rs_')
}

function hasId(part: unknown): part is JsonRecord & { readonly id: string } {
  return isRecord(part) && typeof part.id === 'string'
}

function withoutId(part: JsonRecord, format: PartsFormat): JsonRecord {
  if (format === 'OPENAI_RESPONSES') {
    const { id: _, ...bare } = part
    return bare
  }
  if (format !== 'AI_SDK') return part
  const bare = Object.entries(part).map(([key, value]) =>
    sdkMetadata.has(key) ? [key, withoutOptions(value, /^itemId$/)] : [key, value],
  )
  return Object.fromEntries(bare.filter(([, value]) => value !== undefined))
}
