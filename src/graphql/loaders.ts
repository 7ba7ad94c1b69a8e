import DataLoader from 'dataloader'
import type { Conversation } from '../entities/conversation.ts'
import type { Message } from '../entities/message.ts'
import type { Place } from '../entities/place.ts'
import type { AnswerBudget } from '../storage/answer-budget.ts'
import type { ConversationReads } from '../storage/conversation.ts'
import type { ConversationRef } from '../storage/conversation-ref.ts'
import { type ClientIdPlace, readLastMessages, readMessagesAt, readMessagesByClientId } from '../storage/message.ts'
import { type HistoryRequest, readHistories } from '../storage/message-history.ts'
import type { Page, PageReads, PageRequest } from '../storage/message-page.ts'
import type { Store } from '../storage/store.ts'

export interface Loaders {
  readonly conversation: DataLoader<ConversationRef, Conversation | null>
  readonly page: DataLoader<PageRequest, Page | null>
  readonly history: DataLoader<HistoryRequest, Message[]>
  readonly lastMessage: DataLoader<Conversation, Message | null>
  readonly messageAt: DataLoader<Place, Message | null>
  readonly messageByClientId: DataLoader<ClientIdPlace, Message | null>
}

/** What loaders read from. */
export interface Reads {
  readonly store: Store
  readonly conversations: ConversationReads
  readonly pages: PageReads
}

/**
 * One statement for all that one operation asks of a kind at once. They gather and do not remember: a later field of a
 * mutation must see what an earlier one wrote.
 */
export function createLoaders({ store, conversations, pages }: Reads, budget: AnswerBudget, userId: string): Loaders {
  const options = { cache: false } as const
  return {
    conversation: new DataLoader((refs) => conversations.read(budget, refs), options),
    page: new DataLoader((requests) => pages.read(budget, userId, requests), options),
    history: new DataLoader((requests) => readHistories(store, budget, userId, requests), options),
    lastMessage: new DataLoader((asked) => readLastMessages(store, budget, userId, asked), options),
    messageAt: new DataLoader((places) => readMessagesAt(store, budget, userId, places), options),
    messageByClientId: new DataLoader((asked) => readMessagesByClientId(store, budget, userId, asked), options),
  }
}
