/** The package's entrance for assistant-ui, `@colloquy/client/assistant-ui`; it needs nothing of assistant-ui's code. */
export { openThread } from './thread/conversation-thread.ts'
export type {
  GivenFeedback,
  ShownApproval,
  ShownMessage,
  ShownPart,
  ShownState,
} from './thread/shown-message.ts'
export type { ShownPeople } from './thread/shown-people.ts'
export type {
  CallAnswer,
  FeedbackReason,
  Thread,
  ThreadMore,
  ThreadOptions,
  ThreadSnapshot,
  ThreadStore,
} from './thread/thread.ts'
export type { UnsentStorage } from './thread/unsent.ts'
