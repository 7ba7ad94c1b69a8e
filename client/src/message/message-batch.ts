/** As the API's `MessageInput`. */
export interface MessageInput {
  readonly role: 'SYSTEM' | 'DEVELOPER' | 'USER' | 'ASSISTANT' | 'TOOL'
  readonly name?: string
  readonly content?: string
  readonly parts?: readonly unknown[]
  readonly partsFormat?: PartsFormat
  readonly toolCalls?: readonly ToolCall[]
  readonly toolName?: string
  readonly toolCallId?: string
  readonly toolError?: boolean
  readonly model?: string
  readonly finishReason?: string
  readonly usage?: Readonly<Record<string, unknown>>
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly clientId?: string
  readonly sentAt?: string
  /** The `id` of the message that it continues, or the conversation's own; absent: the one before it, or the active leaf. */
  readonly parentId?: string
}

export interface ToolCall {
  readonly callId: string
  readonly name: string
  /** As the model wrote them, usually JSON. */
  readonly arguments: string
  readonly type?: string
  readonly extra?: Readonly<Record<string, unknown>> | null
}

/** The dialect of `parts`. */
export type PartsFormat = 'OPENAI_CHAT' | 'OPENAI_RESPONSES' | 'ANTHROPIC' | 'AI_SDK' | 'LANGCHAIN' | 'OTHER'

/** The server takes so many messages at once. */
const largestBatch = 100
/** And at most 4 MiB, which leaves room for the rest of the request. */
const largestBytes = 3 * 1024 * 1024

/** Messages in batches that the server takes: each is stored whole or not at all. */
export function inBatches(messages: readonly MessageInput[]): MessageInput[][] {
  const batches: MessageInput[][] = []
  let bytes = 0
  for (const message of messages) {
    const size = encoder.encode(JSON.stringify(message)).length
    const last = batches.at(-1)
    if (last !== undefined && last.length < largestBatch && bytes + size <= largestBytes) last.push(message)
    else {
      batches.push([message])
      bytes = 0
    }
    bytes += size
  }
  return batches
}

const encoder = new TextEncoder()
