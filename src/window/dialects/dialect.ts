import type { MessageRole, PartsFormat } from '../../entities/message-enums.ts'
import type { Output, Reasoning, Said } from '../items/item.ts'
import type { Step } from '../items/step.ts'

/** Writes a window for one provider or SDK. */
export interface Dialect {
  /** It gives parts of this format back unchanged. */
  readonly parts: PartsFormat
  /**
   * Whether it can express this item in a message of `role`. Reasoning and calls are asked about for ASSISTANT only.
   */
  takes(item: Said, role: MessageRole): boolean
  /** Whether it takes this reasoning `beside` what else was said. Absent: it takes its own. */
  takesReasoning?(item: Reasoning, beside: readonly Pick<Said, 'kind'>[]): boolean
  /** Whether a result may hold this item. */
  takesOutput(item: Output): boolean
  readonly callIds: CallIdRule
  write(steps: readonly Step[]): Written
}

/** Which call ids the provider accepts, as its API checks them. */
export interface CallIdRule {
  readonly maxLength: number
  /** The characters that an id may not have. */
  readonly unfit: RegExp | null
  /** Whether a later message may use the same id again. */
  readonly mayRepeat: boolean
}

export interface Written {
  readonly system: readonly unknown[] | null
  readonly messages: readonly unknown[]
}
