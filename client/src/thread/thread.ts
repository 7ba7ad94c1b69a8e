import type { SubscribingClient } from '../connection/resumable.ts'
import type { FeedbackRating, MessageInput } from '../schema/types.ts'
import type { ShownMessage } from './shown-message.ts'
import type { ShownPeople } from './shown-people.ts'
import type { UnsentStorage } from './unsent.ts'

export interface ThreadOptions {
  /** `resumable(createClient(…))`: all of a thread goes over this client, whose options say how often it connects again. */
  readonly client: SubscribingClient
  readonly conversationId: string
  /**
   * The conversation that the first message makes, if it is missing. Absent: such a message is refused.
   *
   * @param text of the first message
   */
  readonly newConversation?: (text: string) => {
    readonly title?: string | null
    readonly metadata?: Readonly<Record<string, unknown>>
  }
  /** Added to each message that is sent, as `name`. */
  readonly message?: Partial<Pick<MessageInput, 'name' | 'metadata'>>
  /** What is read beside the messages; each of it costs the server more. Absent: nothing. */
  readonly more?: readonly ThreadMore[]
  /** Keeps what is not sent yet, as `localStorage` does. Absent: it is lost with the page. */
  readonly storage?: UnsentStorage
  /** How many messages a page has, from 1 to 100; 30. */
  readonly pageSize?: number
  /** Runs a function before the next frame is painted. Absent: `requestAnimationFrame`, where there is one. */
  readonly schedule?: (work: () => void) => void
}

/** `people`: who is here, who types, who has read what, and who has taken the conversation over. */
export type ThreadMore = 'approvals' | 'reactions' | 'replies' | 'feedback' | 'people'

/**
 * A conversation on a screen. What is asked of the server here is asked until it is answered; what the server refuses is
 * an error with its sentence.
 */
export interface Thread {
  /** For `useSyncExternalStore`. The listener is called at most once a frame. */
  readonly subscribe: (listener: () => void) => () => void
  /** For `useSyncExternalStore`: the same object until something has changed. */
  readonly snapshot: () => ThreadSnapshot
  /** Shows the branch of another version of a message, on this screen alone. @param messageId of `siblings.ids` */
  readonly look: (messageId: string) => Promise<void>
  /**
   * Shows a message of any page, with what stands around it. Then the path may be cut behind it: `later` of the snapshot
   * reads on, and what comes is not shown until the end is reached.
   *
   * @returns the id of the shown message; null: there is none
   */
  readonly reveal: (messageId: string) => Promise<string | null>
  /** Shows the newest messages again, behind which nothing is cut. */
  readonly showNewest: () => void
  /** Sends a message again that was refused. @param id of the shown message */
  readonly retry: (id: string) => void
  /** Forgets a message that was refused. @param id of the shown message */
  readonly discard: (id: string) => void
  /** Approves or refuses a call. @param approvalId of the call's `approval` */
  readonly answerCall: (approvalId: string, answer: CallAnswer) => Promise<void>
  /** Puts an emoji on a message, or takes it back; shown at once. @param id of the shown message */
  readonly react: (id: string, emoji: string, isOn: boolean) => Promise<void>
  /** Says what the viewer thinks of an answer; shown at once. @param rating null takes it back */
  readonly rate: (id: string, rating: FeedbackRating | null, why?: FeedbackReason) => Promise<void>
  /** Takes the conversation over from agents. */
  readonly takeOver: () => Promise<void>
  readonly handBack: () => Promise<void>
  /** Says that the viewer has read a message to its end, and so all before it. @param id of the shown message */
  readonly read: (id: string) => void
  /** Call it with true at each key, and with false when there is nothing to send any more. Others hear of it rarely enough. */
  readonly type: (isTyping: boolean) => void
  /** Ends it: it follows and sends no more. */
  readonly close: () => void
}

export interface CallAnswer {
  readonly approved: boolean
  readonly reason?: string | null
}

export interface FeedbackReason {
  /** In a word, for programs. */
  readonly reason?: string | null
  readonly comment?: string | null
}

export interface ThreadSnapshot {
  /** `missing`: there is no such conversation yet. `deleted`: there is none any more. */
  readonly status: 'loading' | 'ready' | 'missing' | 'deleted'
  readonly title: string | null
  /** Reads the page behind the last message that is shown; null: that is the newest one. */
  readonly later: (() => Promise<void>) | null
  /** Shows where the conversation went on while another branch was looked at (`look`); null: it did not. */
  readonly elsewhere: (() => void) | null
  /** null: they were not asked for, or there is no conversation. The same object until something of it has changed. */
  readonly people: ShownPeople | null
  /** For `useExternalStoreRuntime`. */
  readonly store: ThreadStore
}

/** An `ExternalStoreAdapter` of assistant-ui. */
export interface ThreadStore {
  readonly messages: readonly ShownMessage[]
  readonly convertMessage: (message: ShownMessage) => ShownMessage
  readonly isLoading: boolean
  readonly isRunning: boolean
  readonly hasEarlier: boolean
  readonly onNew: (message: Written) => Promise<void>
  readonly onEdit: (message: Written) => Promise<void>
  readonly onReload: (parentId: string | null) => Promise<void>
  readonly onCancel: () => Promise<void>
  readonly onLoadEarlier: () => Promise<void>
  /** If `approvals` are asked for. */
  readonly onRespondToToolApproval?: (response: ApprovalResponse) => Promise<void>
  readonly adapters?: {
    /** If `feedback` is asked for. */
    readonly feedback: { readonly submit: (given: SubmittedFeedback) => void }
  }
}

/** What an `AppendMessage` of assistant-ui has for this. */
export interface Written {
  readonly sourceId: string | null
  readonly content: readonly WrittenPart[]
  readonly attachments?: readonly { readonly content: readonly WrittenPart[] }[] | undefined
  /** `custom.quote` of the composer is the shown message to which this one replies. */
  readonly metadata?: { readonly custom?: Readonly<Record<string, unknown>> | undefined } | undefined
}

/** Texts and pictures are sent, and nothing else. */
export interface WrittenPart {
  readonly type: string
  readonly text?: unknown
  readonly image?: unknown
}

/** What `respondToApproval` of assistant-ui gives. */
export interface ApprovalResponse {
  readonly approvalId: string
  readonly approved: boolean
  readonly reason?: string | undefined
}

/** What `ActionBarPrimitive.FeedbackPositive` and its neighbour give. */
export interface SubmittedFeedback {
  readonly message: { readonly id: string }
  readonly type: 'positive' | 'negative'
  readonly comment?: string | undefined
}
