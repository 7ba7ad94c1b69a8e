/** The package's one entrance. */
export type { ConnectionOptions } from './connection/connection.ts'
export { RequestError, type RequestOptions, request } from './connection/request.ts'
export { resumable } from './connection/resumable.ts'
export { applyEvent, GapError, type ViewedMessage } from './live/conversation-view.ts'
export { FollowError, type Following, type FollowOptions, followConversation } from './live/follow-conversation.ts'
export { type ContextLimits, type ContextRequest, type ContextWindow, readContext } from './message/context-window.ts'
export { messageSelection } from './schema/selections.ts'
export type * from './schema/types.ts'
export type { Message as FollowedMessage } from './schema/types.ts'
export {
  type Completion,
  type MessageStream,
  StreamError,
  type StreamOptions,
  streamMessage,
} from './stream/stream-message.ts'
