import { contractLimits, type Limits } from '../../config.ts'
import { MessageRole } from '../../entities/message/message-enums.ts'

/** How many items lists may have that callers give, by the name of the type of their items. */
export type ListLimits = ReadonlyMap<string, number>

/**
 * The limits of all lists that the API takes. A field refuses a list that is too long for it, and says so; here is only
 * what may be read of such a list before. A test fails for a list that is not among these.
 */
export function createListLimits({ parts, toolCalls }: Pick<Limits, 'parts' | 'toolCalls'>): ListLimits {
  const { nodes, batch } = contractLimits
  return new Map([
    ['ID', nodes],
    ['MessageInput', batch],
    ['MessageRole', Object.keys(MessageRole).length],
    ['JSON', parts],
    ['ToolCallInput', toolCalls],
  ])
}
