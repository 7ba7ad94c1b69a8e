import { contractLimits, type Limits } from '../../config.ts'

/**
 * How much: a number; or what arguments of the field say, named by their paths, as `input.upToSeq`; or what a field
 * around this one gives, so many times.
 */
export type Amount =
  | number
  | { readonly of: readonly string[]; readonly amount: (...values: unknown[]) => number }
  | { readonly around: string; readonly times: number }

/** What a field costs beside what is selected of it. */
export interface FieldPrice {
  /** What the field costs each time: the rows that it may read or write. 0 unless given. */
  readonly own?: Amount
  /** How often it answers what is selected of it: the items of a list. 1 unless given. */
  readonly items?: Amount
  /** Amounts by name, for the fields that are selected of it. */
  readonly gives?: Readonly<Record<string, Amount>>
}

/** By coordinates in the schema, as `Query.node`. */
export type Prices = Readonly<Record<string, FieldPrice>>

/** An operation without its fields: it is parsed, admitted, executed, and answered. A row takes about a tenth of that. */
export const operationPrice = 10

/** A document that is not remembered is parsed and checked: 32 KB of small fields take about as long as 1,000 rows. */
export function documentPrice(source: string): number {
  return source.length / 32
}

/** Any field, each time that it is answered: it takes about a fiftieth of a row. */
export const fieldPrice = 0.02

/**
 * The prices of all fields of the API. A field without a price reads nothing and is no list: a test
 * finds every other field. One row is 1. A list that lies in a row already is counted as long as such lists usually are,
 * because the bytes of rows have limits of their own.
 */
export function createPrices({ forkMessages }: Limits): Prices {
  const { page, defaultPage, history, batch, nodes, chunks, siblings, contextTokens, found, defaultFound } =
    contractLimits

  const pageSize: Amount = {
    of: ['first', 'last'],
    amount: (first, last) => {
      if (typeof first !== 'number' && typeof last !== 'number') return defaultPage
      return Math.max(within(first, page, 0), within(last, page, 0))
    },
  }
  /** The page, and 1 for finding it. */
  const pageRows = (more: Readonly<Record<string, number>>): Amount => ({
    of: [...pageSize.of, ...Object.keys(more)],
    amount: (first, last, ...given) => {
      const extra = Object.values(more).reduce((sum, rows, n) => sum + (given[n] == null ? 0 : rows), 0)
      return pageSize.amount(first, last) + 1 + extra
    },
  })
  const itemsOf = (path: string, most: number, none: number): Amount => ({
    of: [path],
    amount: (value) => Math.min(lengthOf(value, none), most),
  })
  const number = (path: string, most: number, none: number, price = (value: number) => value): Amount => ({
    of: [path],
    amount: (value) => price(within(value, most, none)),
  })
  const appended: Amount = itemsOf('input.messages', batch, 0)
  const withStarted: Amount = {
    of: ['input.messages'],
    amount: (messages) => Math.min(lengthOf(messages, 0) + 1, batch),
  }
  /** Only messages that name a parent can branch, and the first of a call, which continues the active leaf. */
  const branching: Amount = {
    of: ['input.messages'],
    amount: (messages) => Math.min(countParents(messages) + 1, batch),
  }
  /** It looks at the words of all that the viewer may read. */
  const search = 200
  /** All that waits is counted, of which there is mostly little. */
  const waitingCount = 10
  const free: FieldPrice = {}
  const row: FieldPrice = { own: 1 }
  const inRow = (items: number): FieldPrice => ({ items })
  const changedSiblings: FieldPrice = { own: siblings + 1, items: siblings }
  const changedSiblingsOfMany: FieldPrice = {
    own: { around: 'branching', times: siblings + 1 },
    items: { around: 'branching', times: siblings },
  }

  return {
    'Query.viewer': free,
    'Viewer.name': row,
    'Viewer.picture': row,
    'Query.node': row,
    'Query.nodes': { own: itemsOf('ids', nodes, nodes), items: itemsOf('ids', nodes, nodes) },
    'Query.conversation': row,
    // Few conversations may fulfil these. Then all of the viewer's are looked at.
    'Query.conversations': {
      own: pageRows({ 'filter.metadata': 200, 'filter.title': 200 }),
      gives: { page: pageSize },
    },
    'Query.changes': {
      own: number('first', page, defaultPage, (rows) => rows + 1),
      gives: { page: number('first', page, defaultPage) },
    },
    'Query.searchMessages': {
      own: number('first', found, defaultFound, (rows) => rows + search),
      gives: { found: number('first', found, defaultFound) },
    },
    // It looks at all conversations of the viewer.
    'Query.feedback': {
      own: number('first', page, defaultPage, (rows) => rows + search),
      gives: { page: number('first', page, defaultPage) },
    },
    'Query.operator': free,
    'Operator.settings': inRow(80),
    'Operator.figures': inRow(100),
    'Operator.conversation': row,
    'Operator.conversations': {
      own: number('first', page, defaultPage, (rows) => rows + 1),
      gives: { page: number('first', page, defaultPage) },
    },
    // Each is looked up in three tables.
    'Operator.streams': {
      own: number('first', page, defaultPage, (rows) => 3 * rows),
      items: number('first', page, defaultPage),
    },
    'ConversationRecordConnection.nodes': { items: { around: 'page', times: 1 } },
    'ConversationRecord.watchedBy': inRow(3),
    'ConversationRecord.log': { own: number('first', page, defaultPage), items: number('first', page, defaultPage) },
    'ConversationRecord.changed': {
      own: number('first', page, defaultPage),
      items: number('first', page, defaultPage),
    },
    'FeedbackConnection.edges': { items: { around: 'page', times: 1 } },
    'FeedbackConnection.nodes': { items: { around: 'page', times: 1 } },
    'MessageSearchConnection.edges': { items: { around: 'found', times: 1 } },
    'MessageSearchConnection.nodes': { items: { around: 'found', times: 1 } },
    'MessageSearchEdge.before': row,
    'MessageSearchEdge.after': row,
    'SearchSnippet.ranges': inRow(3),
    'Query.messageChunks': { own: chunks, items: chunks },

    'ConversationConnection.edges': { items: { around: 'page', times: 1 } },
    'ConversationConnection.nodes': { items: { around: 'page', times: 1 } },
    'ConversationChanges.events': { items: { around: 'page', times: 1 } },
    'MessageConnection.edges': { items: { around: 'page', times: 1 } },
    'MessageConnection.nodes': { items: { around: 'page', times: 1 } },

    'ParticipantConnection.edges': { items: { around: 'page', times: 1 } },
    'ParticipantConnection.nodes': { items: { around: 'page', times: 1 } },

    'Conversation.cursor': free,
    'Conversation.id': free,
    'Conversation.viewerRole': row,
    'Conversation.historyFrom': row,
    // Messages behind the marker are counted.
    'Conversation.readSeq': { own: 3 },
    'Conversation.unreadCount': { own: 10 },
    'Conversation.present': { own: 2 },
    'PresentUsers.userIds': inRow(3),
    // An event has been read already.
    'ReadMarkersChanged.readMarkers': inRow(3),
    'TypingChanged.userIds': inRow(3),
    'Viewer.unreadConversations': { own: 300 },
    'Conversation.unreadMentions': { own: 10 },
    'Conversation.participants': {
      own: number('first', page, defaultPage, (rows) => rows + 1),
      gives: { page: number('first', page, defaultPage) },
    },
    'Participant.name': row,
    'Participant.picture': row,
    'Conversation.ownerName': row,
    'Conversation.waiting': row,
    'Query.waitingConversations': {
      own: number('first', page, defaultPage, (rows) => rows + waitingCount),
      gives: { page: number('first', page, defaultPage) },
    },
    'WaitingConversationConnection.edges': { items: { around: 'page', times: 1 } },
    'WaitingConversationConnection.nodes': { items: { around: 'page', times: 1 } },
    'WaitingConversation.conversationId': free,
    'WaitingConversation.ownerId': free,
    'WaitingConversation.ownerName': row,
    'WaitingConversation.title': free,
    'Conversation.lastMessage': row,
    'Conversation.activeLeaf': row,
    'Conversation.message': row,
    'Conversation.messages': { own: pageRows({ branch: 10 }), gives: { page: pageSize } },
    'Conversation.history': {
      own: number('last', history, defaultPage, (rows) => rows + 1),
      items: number('last', history, defaultPage),
    },
    // Messages of a conversation have about 200 tokens, and a window also counts and writes them.
    'Conversation.context': {
      own: {
        of: ['maxTokens', 'recall'],
        amount: (tokens, recall) =>
          10 + within(tokens, contextTokens, contextTokens) / 1_000 + (recall == null ? 0 : search),
      },
    },
    'ContextWindow.pendingCalls': inRow(3),
    'ContextWindow.toolNames': inRow(3),
    'ContextWindow.recalled': inRow(10),
    'OmittedMessages.reasons': inRow(3),
    // Both look at an index of all messages of the path.
    'OmittedMessages.messages': { own: 50 },
    'OmittedMessages.tokens': { own: 50 },

    // A message was read with its conversation.
    'Message.author': free,
    'MessageAuthor.picture': row,
    'Message.readBy': { own: 5 },
    'MessageReaders.userIds': inRow(3),
    // A look at another table for all messages of an answer.
    'Message.reactions': { own: 1, items: 3 },
    'Message.replyTo': { own: 2 },
    'Message.mentions': { own: 1, items: 3 },
    'Message.feedback': row,
    'ToolCall.approval': { own: 1 },
    'MessageFeedback.messageId': free,
    'MessageFeedback.conversationId': free,
    'MessageFeedback.ownerId': free,
    'MessageFeedback.message': row,
    'Message.conversationId': free,
    'Message.revision': free,
    'Message.parentId': free,
    'Message.parts': inRow(1),
    'Message.toolCalls': inRow(3),
    'Message.siblings': { own: 2 },
    'MessageSiblings.ids': inRow(3),

    'MessageAppended.changedSiblings': changedSiblings,
    'MessageTextAppended.message': row,
    'Subscription.conversationEvents': row,
    'Subscription.conversationsChanged': row,
    'Subscription.messageAppended': row,
    // Whatever changes, all who follow it share one read.
    'Subscription.waitingConversationsChanged': { own: 10, gives: { page: number('first', page, defaultPage) } },

    'Mutation.appendMessage': row,
    'AppendMessagePayload.changedSiblings': changedSiblings,
    'Mutation.appendMessages': { own: appended, gives: { appended, branching } },
    'AppendMessagesPayload.messages': { items: { around: 'appended', times: 1 } },
    'AppendMessagesPayload.messageEdges': { items: { around: 'appended', times: 1 } },
    'AppendMessagesPayload.replayed': { items: { around: 'appended', times: 1 } },
    'AppendMessagesPayload.changedSiblings': changedSiblingsOfMany,
    'Mutation.startMessage': { own: withStarted, gives: { appended: withStarted, branching } },
    'StartMessagePayload.messageEdges': { items: { around: 'appended', times: 1 } },
    'StartMessagePayload.changedSiblings': changedSiblingsOfMany,
    'Mutation.appendMessageText': row,
    'Mutation.completeMessage': row,
    'Mutation.resumeMessage': row,
    'Mutation.stopMessage': row,
    'Mutation.editMessage': row,
    'Mutation.deleteMessage': row,
    'Mutation.addReaction': { own: 3 },
    'Mutation.removeReaction': { own: 3 },
    'Mutation.setFeedback': { own: 2 },
    'Mutation.answerCall': { own: 4 },
    'Mutation.setActiveLeaf': row,
    'Mutation.addParticipant': { own: 3 },
    'Mutation.removeParticipant': { own: 3 },
    'Mutation.leaveConversation': { own: 3 },
    'Mutation.markRead': { own: 2 },
    'Mutation.setTyping': { own: 2 },
    'Mutation.createConversation': row,
    'Mutation.updateConversation': row,
    'Mutation.takeOver': { own: 10 },
    'Mutation.waitForPerson': { own: 3 },
    'Mutation.stopWaiting': { own: 4 },
    'Mutation.joinWaiting': { own: 5 },
    'Mutation.handBack': row,
    // Messages of a deleted conversation go later; those of a cleared one are changed at once.
    'Mutation.deleteConversation': { own: 10 },
    'Mutation.clearConversation': { own: 100 },
    'Mutation.forkConversation': { own: number('input.upToSeq', forkMessages, forkMessages, (rows) => rows + 10) },

    // As long as these lists are in this schema, on average.
    '__Schema.types': inRow(130),
    '__Schema.directives': inRow(6),
    '__Type.fields': inRow(6),
    '__Type.inputFields': inRow(3),
    '__Type.enumValues': inRow(2),
    '__Type.interfaces': inRow(1),
    '__Type.possibleTypes': inRow(1),
    '__Field.args': inRow(1),
    '__Directive.args': inRow(1),
    '__Directive.locations': inRow(3),
  }
}

/**
 * A whole number from 0 to `most`; `none` if none is given. GraphQL and the resolvers refuse what is no such number: it
 * must only not make the price smaller than it is.
 */
function within(value: unknown, most: number, none: number): number {
  return typeof value === 'number' ? Math.min(Math.max(value, 0), most) : none
}

/** GraphQL takes one value for a list of it. */
function lengthOf(value: unknown, none: number): number {
  if (value == null) return none
  return Array.isArray(value) ? value.length : 1
}

function countParents(messages: unknown): number {
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [messages]
  let count = 0
  for (const message of list) {
    const { parentId, parentClientId } = (message ?? {}) as { parentId?: unknown; parentClientId?: unknown }
    if (parentId != null || parentClientId != null) count += 1
  }
  return count
}
