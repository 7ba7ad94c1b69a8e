import { type RequestOptions, request } from '../connection/request.ts'

/** Whose messages to write. */
export type ContextFormat = 'OPENAI_CHAT' | 'OPENAI_RESPONSES' | 'ANTHROPIC' | 'AI_SDK' | 'AI_SDK_MODEL'

/** How much of a conversation a model is to read. */
export interface ContextLimits {
  /** The most tokens, as the server counts them, `reserve` among them. */
  readonly maxTokens: number
  /** How many of them to leave free, for the answer and the descriptions of tools. */
  readonly reserve?: number
  /** Instructions that come before all others; they are not stored. */
  readonly system?: string
  readonly encoding?: 'O200K_BASE' | 'CL100K_BASE'
}

export interface ContextRequest extends ContextLimits {
  readonly format: ContextFormat
}

/** What a model reads, ready to send. */
export interface ContextWindow<Message = unknown> {
  /** The instructions where the provider takes them apart; null where it does not. */
  readonly system: unknown
  readonly messages: Message[]
  readonly tokenCount: number
  readonly included: number
  readonly omitted: { readonly reasons: readonly string[] }
  readonly firstSeq: number | null
  readonly lastSeq: number | null
}

/** The variables of `contextField`, as an operation declares them. */
export const contextVariables =
  '$maxTokens: Int!, $reserve: Int, $system: String, $encoding: TokenEncoding! = O200K_BASE, $format: ContextFormat!'

/** Of a conversation. */
export const contextField = `context(
  maxTokens: $maxTokens, reserve: $reserve, system: $system, encoding: $encoding, format: $format
) { system messages tokenCount included omitted { reasons } firstSeq lastSeq }`

/**
 * The newest whole turns of a conversation that fit; null when it is missing.
 *
 * @throws RequestError BAD_USER_INPUT, reason CONTEXT_TOO_SMALL, when not even the newest does
 */
export async function readContext<Message = unknown>(
  options: RequestOptions & ContextRequest & { readonly conversationId: string },
): Promise<ContextWindow<Message> | null> {
  const { conversationId, maxTokens, reserve, system, encoding, format } = options
  const query = `query ($id: ID!, ${contextVariables}) { conversation(id: $id) { ${contextField} } }`
  const variables = { id: conversationId, maxTokens, reserve, system, encoding, format }
  const data = await request(options, query, variables)
  return (data.conversation as { context: ContextWindow<Message> } | null)?.context ?? null
}
