/** The package's one entrance. */
export type { ConnectionOptions } from './connection.ts'
export {
  type ContextFormat,
  type ContextLimits,
  type ContextRequest,
  type ContextWindow,
  readContext,
} from './context-window.ts'
export type { ConversationEvent } from './conversation-event.ts'
export { applyEvent, GapError, type ViewedMessage } from './conversation-view.ts'
export { FollowError, type Following, type FollowOptions, followConversation } from './follow-conversation.ts'
export type { FollowedMessage } from './message.ts'
export type { MessageInput, PartsFormat, ToolCall } from './message-input.ts'
export { RequestError, type RequestOptions, request } from './request.ts'
export { resumable } from './resumable.ts'
export {
  type Completion,
  type MessageStream,
  StreamError,
  type StreamOptions,
  streamMessage,
} from './stream-message.ts'
