import type { ApprovalRequest, Said } from '../items/item.ts'
import { asText, isRecord } from '../items/json.ts'
import type { Spoken } from '../items/spoken.ts'

/** Tells items that were stored before from others. Items are shown to it in their order. */
export class Repeats {
  readonly #owners = new Map<string, unknown>()

  isRepeated(item: Said | ApprovalRequest, message: Spoken): boolean {
    const identity = identityOf(item, message)
    if (identity === null) return false
    const owner = this.#owners.get(identity.id)
    if (owner === undefined) this.#owners.set(identity.id, identity.owner)
    return owner !== undefined && owner !== identity.owner
  }
}

/**
 * The id that the provider gave to an item, and what is stored as this item: several content parts may be one item of
 * the Responses API, and several parts of one message in the AI SDK.
 */
function identityOf(
  item: Said | ApprovalRequest,
  message: Spoken,
): { readonly id: string; readonly owner: unknown } | null {
  const { raw } = item
  if (raw === null) return null
  if (raw.format === 'OPENAI_RESPONSES') {
    const owner = raw.within ?? raw.part
    const id = isRecord(owner) ? asText(owner.id) : null
    return id === null ? null : { id, owner }
  }
  if (raw.format === 'AI_SDK' && isRecord(raw.part)) {
    const { callProviderMetadata, providerMetadata, providerOptions } = raw.part
    const data = callProviderMetadata ?? providerMetadata ?? providerOptions
    const known = isRecord(data)
      ? Object.values(data).find((own) => isRecord(own) && typeof own.itemId === 'string')
      : null
    return isRecord(known) ? { id: `${item.kind} ${asText(known.itemId)}`, owner: message } : null
  }
  return item.kind === 'hosted' ? { id: `${item.half} ${item.callId}`, owner: raw.part } : null
}
