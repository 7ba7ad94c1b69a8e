/** The package's one entrance. */
export {
  FollowError,
  type FollowedMessage,
  type Following,
  type FollowOptions,
  followConversation,
} from './follow-conversation.ts'
export { resumable } from './resumable.ts'
