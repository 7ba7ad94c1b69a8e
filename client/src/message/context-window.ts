import { type RequestOptions, request } from '../connection/request.ts'
import { pick } from '../schema/pick.ts'
import { contextArguments, contextField, contextVariables } from '../schema/selections.ts'
import type { ContextArguments, ContextWindow as StoredWindow } from '../schema/types.ts'

/** How much of a conversation a model is to read. */
export type ContextLimits = Omit<ContextArguments, 'format' | 'userMessage'>

/** The limits among options that have more. */
export function pickLimits(options: ContextLimits): ContextLimits {
  const { format: _, userMessage: __, ...limits } = pick(options, contextArguments)
  return limits as unknown as ContextLimits
}

/** What a model is to read of a conversation. */
export type ContextRequest = ContextArguments

/** What a model reads, ready to send. */
export interface ContextWindow<Message = unknown> extends Omit<StoredWindow, 'messages'> {
  readonly messages: Message[]
}

/**
 * The newest whole turns of a conversation that fit; null when it is missing.
 *
 * @throws RequestError BAD_USER_INPUT, reason CONTEXT_TOO_SMALL, when not even the newest does
 */
export async function readContext<Message = unknown>(
  options: RequestOptions & ContextRequest & { readonly conversationId: string },
): Promise<ContextWindow<Message> | null> {
  const query = `query ($id: ID!, ${contextVariables}) { conversation(id: $id) { ${contextField} } }`
  const variables = { id: options.conversationId, ...pick(options, contextArguments) }
  const data = await request(options, query, variables)
  return (data.conversation as { context: ContextWindow<Message> } | null)?.context ?? null
}
