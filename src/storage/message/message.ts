import { Conversation } from '../../entities/conversation.ts'
import type { Place } from '../../entities/ids/place.ts'
import type { Message } from '../../entities/message/message.ts'
import { type ByViewer, statementFor } from '../conversation/history-part.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Row } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readHead, readSelected, selectMessages } from './select-messages.ts'

/** For each conversation, in order: its newest message that is not deleted, or null. A statement for each. */
export async function readLastMessages(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  conversations: readonly Conversation[],
): Promise<(Message | null)[]> {
  const asks = conversations.map(({ key, epoch, userId: owner }) => {
    return { statement: statementFor(selectLast, userId, owner), key, values: [userId, epoch] }
  })
  const answers = await budget.readKeys(store, asks, 'refused')
  return conversations.map((conversation, n) => readSelected(answers[n] as Row[], conversation, 'all')[0] ?? null)
}

const selectLast = selectMessages({
  name: 'message-last',
  columns: 'all',
  found: 'm.deleted_at is null',
  room: '$4',
  order: 'desc',
  limit: 1,
  withConversation: false,
})

/** The place of a message that somebody asks for. */
export interface AskedPlace extends Place {
  /** Who owns the conversation; absent: it is not known. */
  readonly ownerId?: string
}

/** The place of a message in a conversation that was read. */
export function placeIn({ key, epoch, userId }: Conversation, seq: number): AskedPlace {
  return { key, epoch, seq, ownerId: userId }
}

/** For each place, in order: its message, or null if this viewer has no message there. A statement for each conversation. */
export async function readMessagesAt(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  places: readonly AskedPlace[],
): Promise<(Message | null)[]> {
  return readByConversation(store, budget, userId, places, {
    statement: selectAt,
    placeOf: (place) => place,
    ownerOf: ({ ownerId }) => ownerId ?? null,
    markOf: ({ seq }) => seq,
    read: (rows) => {
      const conversation = readHead(rows, new Conversation())
      const messages = conversation === null ? [] : readSelected(rows, conversation, 'all')
      return new Map(messages.map((message) => [message.seq, message]))
    },
  })
}

const selectAt = selectMessages({
  name: 'message-at',
  columns: 'all',
  found: 'm.seq = any($4::bigint[])',
  room: '$5',
  order: 'asc',
  times: timesIn('$4', 'm.seq'),
  withConversation: true,
})

export interface ClientIdPlace {
  readonly conversation: Conversation
  readonly clientId: string
}

/** For each client id, in order: its message, or null. A statement for each conversation. */
export async function readMessagesByClientId(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  asked: readonly ClientIdPlace[],
): Promise<(Message | null)[]> {
  return readByConversation(store, budget, userId, asked, {
    statement: selectByClientId,
    placeOf: ({ conversation }) => conversation,
    ownerOf: ({ conversation }) => conversation.userId,
    markOf: ({ clientId }) => clientId,
    read: (rows, { conversation }) => {
      return new Map(readSelected(rows, conversation, 'all').map((message) => [message.clientId, message]))
    },
  })
}

const selectByClientId = selectMessages({
  name: 'message-by-client-id',
  columns: 'all',
  found: 'm.client_id = any($4::text[])',
  room: '$5',
  order: 'asc',
  times: timesIn('$4', 'm.client_id'),
  withConversation: false,
})

/** How often it was asked for. */
function timesIn(asked: string, value: string): string {
  return `cardinality(array_positions(${asked}, ${value}))`
}

interface Reading<Ask, Value> {
  readonly statement: ByViewer
  readonly placeOf: (ask: Ask) => Pick<Place, 'key' | 'epoch'>
  /** null: it is not known. */
  readonly ownerOf: (ask: Ask) => string | null
  /** What tells an ask from the others in its conversation. */
  readonly markOf: (ask: Ask) => Value
  readonly read: (rows: readonly Row[], first: Ask) => ReadonlyMap<Value | null, Message>
}

/** Puts the asks of each conversation into one statement, and answers a message or null for each ask. */
async function readByConversation<Ask, Value>(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  asked: readonly Ask[],
  { statement, placeOf, ownerOf, markOf, read }: Reading<Ask, Value>,
): Promise<(Message | null)[]> {
  const groups = Map.groupBy(asked, (ask) => `${placeOf(ask).key} ${placeOf(ask).epoch}`)
  const asks = [...groups.values()].map((group) => {
    const [first] = group as [Ask]
    const { key, epoch } = placeOf(first)
    return {
      statement: statementFor(statement, userId, ownerOf(first)),
      key,
      values: [userId, epoch, group.map(markOf)],
    }
  })
  const answers = await budget.readKeys(store, asks, 'refused')
  const found = new Map<Ask, Message | undefined>()
  for (const [n, group] of [...groups.values()].entries()) {
    const messages = read(answers[n] as Row[], group[0] as Ask)
    for (const ask of group) found.set(ask, messages.get(markOf(ask)))
  }
  return asked.map((ask) => found.get(ask) ?? null)
}
