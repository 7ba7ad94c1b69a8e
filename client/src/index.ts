/** The package's one entrance. */
export type { ConnectionOptions } from './connection/connection.ts'
export { RequestError, type RequestOptions, request } from './connection/request.ts'
export { resumable } from './connection/resumable.ts'
export type { ConversationEvent } from './live/conversation-event.ts'
export { applyEvent, GapError, type ViewedMessage } from './live/conversation-view.ts'
export { FollowError, type Following, type FollowOptions, followConversation } from './live/follow-conversation.ts'
export {
  type ContextFormat,
  type ContextLimits,
  type ContextRequest,
  type ContextWindow,
  readContext,
} from './message/context-window.ts'
export type { FollowedMessage } from './message/message.ts'
export type { MessageInput, PartsFormat, ToolCall } from './message/message-batch.ts'
export {
  type Completion,
  type MessageStream,
  StreamError,
  type StreamOptions,
  streamMessage,
} from './stream/stream-message.ts'
