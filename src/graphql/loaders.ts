import DataLoader from 'dataloader'
import type { Conversation } from '../entities/conversation.ts'
import type { Message } from '../entities/message/message.ts'
import type { MessageSiblings } from '../entities/message/message-siblings.ts'
import type { Waiting } from '../entities/waiting.ts'
import { readSiblings } from '../storage/branch/message-siblings.ts'
import { type PathPage, type PathPageRequest, readPathPages } from '../storage/branch/path-page.ts'
import { type CallApprovals, readApprovals } from '../storage/chat/call-approvals.ts'
import { type Feedback, readOwnFeedback } from '../storage/chat/feedback.ts'
import { readLinks, type StoredLinks } from '../storage/chat/message-links.ts'
import { type Reactions, readReactions } from '../storage/chat/reactions.ts'
import { readConversations } from '../storage/conversation/conversation.ts'
import type { ConversationRef } from '../storage/conversation/conversation-ref.ts'
import {
  type AskedPlace,
  type ClientIdPlace,
  readLastMessages,
  readMessagesAt,
  readMessagesByClientId,
} from '../storage/message/message.ts'
import { type Page, type PageRequest, readPages } from '../storage/message/message-page.ts'
import { readNextMessages } from '../storage/message/next-message.ts'
import {
  type Readers,
  type ReadState,
  readReaders,
  readReadStates,
  readUnreadMentions,
} from '../storage/participant/read-marker.ts'
import { readWaiting } from '../storage/participant/waiting.ts'
import { readPeople, type ShownPerson } from '../storage/person/person.ts'
import type { AnswerBudget } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import { type HistoryRequest, readHistories } from '../storage/window/message-history.ts'

/**
 * Each loader reads at once all things of its kind that an operation asks for. Loaders gather but
 * do not remember: a later field of a mutation must see what an earlier one wrote. A loader is made when it is first
 * needed, because most operations need one or none.
 */
export class Loaders {
  readonly #store: Store
  readonly #budget: AnswerBudget
  readonly #userId: string
  #conversation: DataLoader<ConversationRef, Conversation | null> | undefined
  #page: DataLoader<PageRequest, Page | null> | undefined
  #pathPage: DataLoader<PathPageRequest, PathPage | null> | undefined
  #history: DataLoader<HistoryRequest, Message[]> | undefined
  #lastMessage: DataLoader<Conversation, Message | null> | undefined
  #messageAt: DataLoader<AskedPlace, Message | null> | undefined
  #messageByClientId: DataLoader<ClientIdPlace, Message | null> | undefined
  #nextMessage: DataLoader<Message, Message | null> | undefined
  #siblings: DataLoader<Message, MessageSiblings> | undefined
  #readState: DataLoader<Conversation, ReadState> | undefined
  #readers: DataLoader<Message, Readers> | undefined
  #unreadMentions: DataLoader<Conversation, number> | undefined
  #reactions: DataLoader<Message, Reactions[]> | undefined
  #links: DataLoader<Message, StoredLinks> | undefined
  #feedback: DataLoader<Message, Feedback | null> | undefined
  #approvals: DataLoader<Message, CallApprovals> | undefined
  #waiting: DataLoader<Conversation, Pick<Waiting, 'since' | 'reason'> | null> | undefined
  #person: DataLoader<string, ShownPerson | null> | undefined

  constructor(store: Store, budget: AnswerBudget, userId: string) {
    this.#store = store
    this.#budget = budget
    this.#userId = userId
  }

  get conversation(): DataLoader<ConversationRef, Conversation | null> {
    this.#conversation ??= gathering((refs) => readConversations(this.#store, this.#budget, refs))
    return this.#conversation
  }

  get page(): DataLoader<PageRequest, Page | null> {
    this.#page ??= gathering((requests) => readPages(this.#store, this.#budget, this.#userId, requests))
    return this.#page
  }

  get pathPage(): DataLoader<PathPageRequest, PathPage | null> {
    this.#pathPage ??= gathering((asked) => readPathPages(this.#store, this.#budget, this.#userId, asked))
    return this.#pathPage
  }

  get history(): DataLoader<HistoryRequest, Message[]> {
    this.#history ??= gathering((requests) => readHistories(this.#store, this.#budget, this.#userId, requests))
    return this.#history
  }

  get lastMessage(): DataLoader<Conversation, Message | null> {
    this.#lastMessage ??= gathering((asked) => readLastMessages(this.#store, this.#budget, this.#userId, asked))
    return this.#lastMessage
  }

  get messageAt(): DataLoader<AskedPlace, Message | null> {
    this.#messageAt ??= gathering((places) => readMessagesAt(this.#store, this.#budget, this.#userId, places))
    return this.#messageAt
  }

  get messageByClientId(): DataLoader<ClientIdPlace, Message | null> {
    this.#messageByClientId ??= gathering((asked) =>
      readMessagesByClientId(this.#store, this.#budget, this.#userId, asked),
    )
    return this.#messageByClientId
  }

  get readState(): DataLoader<Conversation, ReadState> {
    this.#readState ??= gathering((asked) => readReadStates(this.#store, this.#budget, this.#userId, asked))
    return this.#readState
  }

  get readers(): DataLoader<Message, Readers> {
    this.#readers ??= gathering((asked) => readReaders(this.#store, this.#budget, this.#userId, asked))
    return this.#readers
  }

  get unreadMentions(): DataLoader<Conversation, number> {
    this.#unreadMentions ??= gathering((asked) => readUnreadMentions(this.#store, this.#budget, this.#userId, asked))
    return this.#unreadMentions
  }

  get reactions(): DataLoader<Message, Reactions[]> {
    this.#reactions ??= gathering((asked) => readReactions(this.#store, this.#budget, this.#userId, asked))
    return this.#reactions
  }

  get links(): DataLoader<Message, StoredLinks> {
    this.#links ??= gathering((asked) => readLinks(this.#store, this.#budget, this.#userId, asked))
    return this.#links
  }

  get feedback(): DataLoader<Message, Feedback | null> {
    this.#feedback ??= gathering((asked) => readOwnFeedback(this.#store, this.#budget, this.#userId, asked))
    return this.#feedback
  }

  get approvals(): DataLoader<Message, CallApprovals> {
    this.#approvals ??= gathering((asked) => readApprovals(this.#store, this.#budget, this.#userId, asked))
    return this.#approvals
  }

  get waiting(): DataLoader<Conversation, Pick<Waiting, 'since' | 'reason'> | null> {
    this.#waiting ??= gathering((asked) => readWaiting(this.#store, this.#budget, this.#userId, asked))
    return this.#waiting
  }

  /** By user id. */
  get person(): DataLoader<string, ShownPerson | null> {
    this.#person ??= gathering((userIds) => readPeople(this.#store, this.#budget, userIds))
    return this.#person
  }

  get nextMessage(): DataLoader<Message, Message | null> {
    this.#nextMessage ??= gathering((messages) => readNextMessages(this.#store, this.#budget, this.#userId, messages))
    return this.#nextMessage
  }

  get siblings(): DataLoader<Message, MessageSiblings> {
    this.#siblings ??= gathering((asked) => readSiblings(this.#store, this.#budget, this.#userId, asked))
    return this.#siblings
  }
}

function gathering<Key, Value>(read: DataLoader.BatchLoadFn<Key, Value>): DataLoader<Key, Value> {
  return new DataLoader(read, { cache: false })
}
