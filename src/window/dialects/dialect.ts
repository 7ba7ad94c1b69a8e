import type { MessageRole, PartsFormat } from '../../entities/message/message-enums.ts'
import type { ApprovalRequest, Call, Output, Reasoning, Said } from '../items/item.ts'
import type { Step } from '../items/step.ts'

/** Writes a window for one provider or SDK. */
export interface Dialect {
  /** It gives parts of this format back unchanged. */
  readonly parts: PartsFormat
  /**
   * Whether it can express this item in a message of `role`. Reasoning and hosted calls are asked about for ASSISTANT
   * only, calls to functions never.
   */
  takes(item: Said, role: MessageRole): boolean
  /** Whether it takes this reasoning `beside` what else was said. Absent: it takes its own. */
  takesReasoning?(item: Reasoning, beside: readonly Pick<Said | ApprovalRequest, 'kind'>[]): boolean
  /** Whether a result may hold this item. */
  takesOutput(item: Output): boolean
  readonly callIds: CallIdRule
  /** Whether a message of the user has a field for the name of its author. */
  readonly hasAuthorField?: true
  /** How many pictures a request may have, by the provider's documentation. */
  readonly maxImages: number
  /**
   * Whether it has a way to say that this call waits. Absent: it has none. OpenAI answers "No tool output found for function
   * call" and "An assistant message with 'tool_calls' must be followed by tool messages", Anthropic "`tool_use` ids were
   * found without `tool_result` blocks immediately after" (errors of the APIs, read 2026-11).
   */
  keepsWaiting?(call: Call): boolean
  /** Whether a text can be the result of this native call. Absent: it cannot. */
  answersInWords?(call: Call): boolean
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
