/** A message as it is selected unless `selection` says otherwise. */
export interface FollowedMessage {
  readonly id: string
  readonly seq: number
  /** The `id` of the message that it continues; null of a first one. */
  readonly parentId: string | null
  readonly role: 'SYSTEM' | 'DEVELOPER' | 'USER' | 'ASSISTANT' | 'TOOL'
  readonly name: string | null
  readonly content: string | null
  readonly parts: readonly unknown[] | null
  readonly toolCalls: readonly { readonly callId: string; readonly name: string; readonly arguments: string }[]
  readonly toolCallId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly clientId: string | null
  readonly status: 'STREAMING' | 'COMPLETE' | 'FAILED' | 'CANCELLED'
  /** While it streams: the number of the next chunk, so `content` holds all before it. null otherwise. */
  readonly nextChunk: number | null
  readonly createdAt: string
  readonly deletedAt: string | null
}

/** The fields of a `FollowedMessage`. */
export const messageSelection = `id seq parentId role name content parts toolCalls { callId name arguments } toolCallId metadata clientId
  status nextChunk createdAt deletedAt`
