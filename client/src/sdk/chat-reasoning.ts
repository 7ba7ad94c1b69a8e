/** What providers that speak as OpenAI does send of a model's reasoning beside `content`. */
export interface ReasoningDelta {
  readonly reasoning_content?: string | null
  readonly reasoning?: string | null
  readonly reasoning_details?: readonly object[] | null
}

type Detail = Record<string, unknown>

/** The reasoning of an answer, as its pieces come. */
export class ChatReasoning {
  readonly #texts = { reasoning_content: '', reasoning: '' }
  readonly #details: Detail[] = []

  add(delta: ReasoningDelta): void {
    this.#texts.reasoning_content += delta.reasoning_content ?? ''
    this.#texts.reasoning += delta.reasoning ?? ''
    for (const detail of delta.reasoning_details ?? []) this.#addDetail(detail as Detail)
  }

  /** One part for each field: the server gives it back under the same name. */
  get parts(): object[] {
    const texts = Object.entries(this.#texts).filter(([, text]) => text !== '')
    const fields = this.#details.length === 0 ? texts : [...texts, ['reasoning_details', this.#details] as const]
    return fields.map(([field, value]) => ({ type: field, [field]: value }))
  }

  /**
   * Pieces of one detail have its `type` and `index`. The provider refuses them one by one, and takes the whole:
   * https://openrouter.ai/docs/guides/best-practices/reasoning-tokens, read 2026-11.
   */
  #addDetail(piece: Detail): void {
    const { type, index } = piece
    const whole = this.#details.find((one) => index !== undefined && one.index === index && one.type === type)
    if (whole === undefined) this.#details.push({ ...piece })
    else for (const [key, value] of Object.entries(piece)) whole[key] = joined(key, whole[key], value)
  }
}

/** The fields of a detail that come in pieces; the last piece has the others. */
function joined(key: string, before: unknown, value: unknown): unknown {
  if (value === null || value === undefined) return before
  return ['text', 'summary', 'data'].includes(key) && typeof before === 'string' ? `${before}${value}` : value
}
