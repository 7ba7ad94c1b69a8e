import type { MessageRole, PartsFormat } from '../../entities/message-enums.ts'
import type { Output, Said } from '../items/item.ts'
import type { Step } from '../items/step.ts'

/** How a window is written for one provider or SDK. */
export interface Dialect {
  /** The parts that it gives back as they are. */
  readonly parts: PartsFormat
  /** Whether it has words for this where `role` says it; asked of reasoning and calls only where they may stand. */
  takes(item: Said, role: MessageRole): boolean
  /** Whether a result may hold this. */
  takesOutput(item: Output): boolean
  readonly callIds: CallIdRule
  write(steps: readonly Step[]): Written
}

/** Which ids of calls the provider accepts. */
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
