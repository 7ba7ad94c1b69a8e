import type { JsonRecord } from '../../entities/json.ts'
import type { PartsFormat } from '../../entities/message/message-enums.ts'
import type { ApprovalRequest, Said } from '../items/item.ts'
import { isRecord } from '../items/json.ts'
import { sdkMetadata, withoutOptions } from '../items/sdk-metadata.ts'
import { type Step, withItems } from '../items/step.ts'

/** Reasoning that stands before items of the same response. */
export interface Reasoned {
  readonly format: PartsFormat
  readonly isKept: boolean
}

/**
 * OpenAI gives an id to each item of a response, and refuses an item with an id if the reasoning that came before it in
 * the response is missing: "was provided without its required 'reasoning' item". It accepts the item without the id.
 * https://developers.openai.com/api/docs/guides/reasoning and the errors of the API, read 2026-11. So the items behind
 * reasoning that is left out lose their ids, until reasoning comes that is kept. In the AI SDK the metadata of parts has
 * these ids. This goes over the items of an assistant in their order, and marks those that lose their ids.
 */
export class ItemIds {
  /** The last reasoning; null: there was none. */
  reasoned: Reasoned | null

  constructor(reasoned: Reasoned | null = null) {
    this.reasoned = reasoned
  }

  /** The items that are `kept`. `leaveOut` is called for an item that cannot be without its id, and is not kept. */
  of<T extends Said | ApprovalRequest>(items: readonly T[], kept: ReadonlySet<T>, leaveOut: () => void): T[] {
    return items.flatMap((item) => {
      const isKept = kept.has(item)
      const { raw } = item
      if (isReasoning(item) && raw !== null) this.reasoned = { format: raw.format, isKept }
      if (!isKept) return []
      if (this.reasoned?.isKept !== false || raw?.format !== this.reasoned.format) return [item]
      const { part, within, format } = raw
      const isBare = item.kind === 'call' && !needIds.has(item.type)
      if (isBare || within !== undefined || format !== 'OPENAI_RESPONSES' || !hasId(part)) {
        return [{ ...item, raw: { ...raw, isIdLost: true } }]
      }
      leaveOut()
      return []
    })
  }
}

/** Calls whose types in openai 7 have no optional id (2026-11). The response to a request for approval names its id. */
const needIds: ReadonlySet<string> = new Set(['computer_call', 'local_shell_call', 'mcp_approval_request'])

/** Writes the marked items of a window without their ids. A call and its result may be one part, and stay one. */
export function withoutLostIds(steps: readonly Step[]): readonly Step[] {
  const bare = new Map<unknown, JsonRecord>()
  const bareOf = (part: JsonRecord, format: PartsFormat) => {
    const made = bare.get(part) ?? withoutId(part, format)
    bare.set(part, made)
    return made
  }
  return steps.map((step) => {
    const others = new Map<Said, Said>()
    for (const item of step.items) {
      const { raw } = item
      if (raw?.isIdLost !== true) continue
      // Of an item with several content parts the whole has the id.
      const id = raw.within === undefined ? 'part' : 'within'
      const whole = raw[id]
      if (isRecord(whole)) others.set(item, { ...item, raw: { ...raw, [id]: bareOf(whole, raw.format) } } as Said)
    }
    if (others.size === 0) return step
    const { answers, ...rest } = withItems(step, others)
    const own = answers.map(({ result, ...answer }) => {
      const part = bare.get(result.raw?.part)
      return { ...answer, result: result.raw && part ? { ...result, raw: { ...result.raw, part } } : result }
    })
    return { ...rest, answers: own }
  })
}

/** A reference to reasoning that lies with OpenAI stands for it. */
function isReasoning({ kind, raw }: Said | ApprovalRequest): boolean {
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
