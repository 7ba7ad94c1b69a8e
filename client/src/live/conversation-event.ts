/** What can happen in a conversation, as `conversationEvents` tells it; `cursor` is the place after it. */
export type ConversationEvent<Message> =
  | MessageAppended<Message>
  | MessageUpdated<Message>
  | MessageDeleted<Message>
  | MessageTextAppended
  | ConversationUpdated
  | ConversationDeleted
  | CaughtUp

export interface MessageAppended<Message> extends Place {
  readonly __typename: 'MessageAppended'
  readonly edge: { readonly node: Message }
}

/** The message as it is now. */
export interface MessageUpdated<Message> extends Place {
  readonly __typename: 'MessageUpdated'
  readonly message: Message
}

/** Its tombstone: without content, in its place. */
export interface MessageDeleted<Message> extends Place {
  readonly __typename: 'MessageDeleted'
  readonly message: Message
}

/** A piece of text of a message that is still streaming; see `applyEvent`. */
export interface MessageTextAppended extends Place {
  readonly __typename: 'MessageTextAppended'
  readonly messageId: string
  readonly seq: number
  readonly chunk: number
  readonly text: string
  readonly data: unknown
}

export interface ConversationUpdated extends Place {
  readonly __typename: 'ConversationUpdated'
  readonly conversation: {
    readonly id: string
    readonly title: string | null
    readonly metadata: Readonly<Record<string, unknown>>
    readonly archivedAt: string | null
    readonly updatedAt: string
    /** Where the active path ends, until another message is appended; null while it is empty. */
    readonly activeLeaf: { readonly id: string; readonly seq: number } | null
  }
}

/** Nothing comes after it. */
export interface ConversationDeleted extends Place {
  readonly __typename: 'ConversationDeleted'
}

/** From here on it is live; comes again after every connection. */
export interface CaughtUp extends Place {
  readonly __typename: 'CaughtUp'
}

interface Place {
  readonly cursor: string
  readonly conversationId: string
}

/** The subscription to all of it, resumable by `$after`; kinds of later servers come with their place alone. */
export function eventsQuery(messageSelection: string): string {
  return `subscription ($id: ID!, $after: String) {
    conversationEvents(conversationId: $id, after: $after) {
      __typename cursor conversationId
      ... on MessageAppended { edge { node { ${messageSelection} } } }
      ... on MessageUpdated { message { ${messageSelection} } }
      ... on MessageDeleted { message { ${messageSelection} } }
      ... on MessageTextAppended { messageId seq chunk text data }
      ... on ConversationUpdated { conversation { id title metadata archivedAt updatedAt activeLeaf { id seq } } }
    }
  }`
}
