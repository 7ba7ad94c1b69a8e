import type { JsonRecord } from '../../entities/json.ts'
import type { ApprovalRequest, Call, Hosted, Said } from '../items/item.ts'
import { asText, isRecord } from '../items/json.ts'
import type { Spoken } from '../items/spoken.ts'

/** Tells items that were stored before from others, by the ids that their provider gave them. */
export class Repeats {
  /** Where the id of each item was seen first. */
  readonly #places = new Map<string, Place>()
  #last: Place | null = null
  #isLastRepeated = false

  /** @param item shown in the order of the window */
  isRepeated(item: Said | ApprovalRequest, message: Spoken): boolean {
    const ids = idsOf(item)
    const [id = null] = ids
    const place = { id, message, within: item.raw?.within ?? null }
    const isMore = this.#isMoreOf(place, item)
    this.#last = place
    // All content parts of one item have one fate.
    if (isMore) return place.within !== null && this.#isLastRepeated
    this.#isLastRepeated = ids.some((one) => this.#places.has(one))
    if (!this.#isLastRepeated) for (const one of ids) this.#places.set(one, place)
    return this.#isLastRepeated
  }

  /**
   * Several content parts may be one item of the Responses API; they follow each other. Several parts of one message may be
   * one item in the AI SDK.
   */
  #isMoreOf({ id, message, within }: Place, { kind, raw }: Said | ApprovalRequest): boolean {
    if (raw?.format !== 'AI_SDK')
      return within !== null && this.#last?.within === within && this.#last.message === message
    return kind !== 'hosted' && kind !== 'other' && id !== null && this.#places.get(id)?.message === message
  }
}

interface Place {
  readonly id: string | null
  readonly message: Spoken
  readonly within: JsonRecord | null
}

function idsOf(item: Said | ApprovalRequest): string[] {
  const { raw } = item
  if (raw?.format !== 'OPENAI_RESPONSES') return [idOf(item) ?? []].flat()
  const owner = raw.within ?? raw.part
  const id = isRecord(owner) ? asText(owner.id) : null
  return [id ?? [], isKeepingCallId(item) ? `call ${item.callId}` : []].flat()
}

/** A call that is no function keeps its `call_id`, and this comes once. A search of the provider has none. */
function isKeepingCallId(item: Said | ApprovalRequest): item is Call | Hosted {
  if (item.kind === 'hosted') return item.half === 'call' && item.callId !== ''
  return item.kind === 'call' && item.native !== undefined && item.callId !== ''
}

function idOf(item: Said | ApprovalRequest): string | null {
  const { kind, raw } = item
  if (kind === 'hosted') return `${item.half} ${item.raw.format} ${item.callId}`
  if (raw?.format !== 'AI_SDK' || !isRecord(raw.part)) return null
  const { toolCallId, callProviderMetadata, providerMetadata, providerOptions } = raw.part
  if (kind === 'other') return asText(toolCallId)
  const data = callProviderMetadata ?? providerMetadata ?? providerOptions
  const known = isRecord(data) ? Object.values(data).filter(isRecord) : []
  const itemId = known.map((own) => asText(own.itemId)).find((id) => id !== null)
  return itemId === undefined ? null : `${kind} ${itemId}`
}
