import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import type { Place } from '../../entities/ids/place.ts'
import type { Message } from '../../entities/message/message.ts'
import { MessageMissing, NotPermitted, RevisionMoved, StillStreaming } from '../../facts.ts'
import { commit, inTransaction, moving, unmoved, type Written } from '../conversation/commit.ts'
import { readPayer } from '../conversation/conversation-owner.ts'
import type { ConversationRef } from '../conversation/conversation-ref.ts'
import { lockConversation, lockPresent } from '../conversation/lock.ts'
import { free, type Room, within } from '../postgres/quota.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import type { GivenMessage } from './given-message.ts'
import { type CheckMessage, editedMessage } from './message-change.ts'
import { messageColumns, readMessage } from './message-row.ts'
import { type Rewritten, rewriteMessages, tombstoneMessages } from './rewrite.ts'

/** A message, named by its place in a conversation or by the caller's own id for it. */
export interface MessageRef {
  readonly conversation: ConversationRef
  readonly message: { readonly seq: number } | { readonly clientId: string }
}

/** The reference to the message at a place, for this user. */
export function refOf(userId: string, { key, epoch, seq }: Place): MessageRef {
  return { conversation: { userId, key, epoch, id: null }, message: { seq } }
}

/**
 * Gives a message new contents.
 *
 * @param ifRevision the revision that the message must have; null: any
 * @throws MessageMissing, StillStreaming, RevisionMoved, PartsHoldText, QuotaExceeded, and what `check` throws
 */
export async function editMessage(
  store: Store,
  ref: MessageRef,
  ifRevision: string | null,
  edit: GivenMessage,
  check: CheckMessage,
): Promise<Message> {
  const change = (room: Room) =>
    changeOne(store, ref, 'own', async (client, message) => {
      if (message.deletedAt !== null) throw new MessageMissing()
      if (message.status === 'STREAMING') throw new StillStreaming()
      const revision = String(message.revision ?? 0)
      if (ifRevision !== null && ifRevision !== revision) throw new RevisionMoved(ifRevision, revision)
      const edited = editedMessage(message, edit, check)
      room.require(edited.size - message.size)
      return movingOne(await rewriteMessages(client, message.conversation, [{ seq: message.seq, message: edited }]))
    })
  return within(store.quotas.bytes, await readPayer(store, ref.conversation, 'bytes'), 0, change)
}

/** Turns a message into a tombstone. A message that is a tombstone already stays as it is. @throws MessageMissing */
export async function deleteMessage(store: Store, ref: MessageRef): Promise<Message> {
  const deleted = await changeOne(store, ref, 'own', async (client, message) => {
    if (message.deletedAt !== null) return unmoved(message)
    return movingOne(await tombstoneMessages(client, message.conversation, [message.seq]))
  })
  free(store.quotas, deleted.conversation.userId)
  return deleted
}

/**
 * Locks the conversation, finds the message in it, and runs `work`.
 *
 * @param of `own`: a viewer who does not own the conversation may only change what it wrote itself
 * @throws MessageMissing, NotPermitted
 */
export async function changeOne(
  store: Store,
  ref: MessageRef,
  of: 'own' | 'any',
  work: (client: PoolClient, message: Message) => Promise<Written<Message>>,
): Promise<Message> {
  return commit(
    store,
    inTransaction(async (client) => {
      const locked = await lockConversation(client, ref.conversation, 'writer')
      if (locked === null || locked.conversation.deletedAt !== null) throw new MessageMissing()
      const { conversation, firstSeq } = locked
      const message = await findMessage(client, conversation, ref.message)
      if (message === null || message.seq < firstSeq) throw new MessageMissing()
      const { userId } = ref.conversation
      if (of === 'own' && userId !== conversation.userId && userId !== message.authorId) throw new NotPermitted()
      return work(client, message)
    }),
  )
}

/** What a change of one message wrote. */
export function movingOne({ conversation, messages }: Rewritten): Written<Message> {
  // The statement changed exactly one message.
  return moving(messages[0] as Message, conversation)
}

/** A statement of its own, after the one that locks: nobody changes a message without the conversation's lock. */
async function findMessage(
  client: PoolClient,
  conversation: Conversation,
  message: MessageRef['message'],
): Promise<Message | null> {
  const [row] =
    'seq' in message
      ? await queryKey(client, selectBySeq, conversation.key, [message.seq])
      : await queryKey(client, selectByClientId, conversation.key, [message.clientId])
  return row === undefined ? null : readMessage(row, 0, conversation)
}

const selectBySeq: Statement<'key'> = {
  name: 'message-find-by-seq',
  kind: 'key',
  text: `select ${messageColumns('m', 'all', '$1')} from message m where m.conversation_key = $1 and m.seq = $2`,
}

const selectByClientId: Statement<'key'> = {
  name: 'message-find-by-client-id',
  kind: 'key',
  text: `select ${messageColumns('m', 'all', '$1')} from message m where m.conversation_key = $1 and m.client_id = $2`,
}

const clearedPerTransaction = 500

/**
 * Turns all messages that are stored now into tombstones, from the first on, in transactions of limited size. Messages
 * that are appended meanwhile stay. If a call breaks off, the same call again completes the work.
 *
 * @throws ConversationMissing
 */
export async function clearConversation(store: Store, ref: ConversationRef): Promise<Conversation> {
  let upTo: number | null = null
  for (;;) {
    const { conversation, isDone } = await commit(
      store,
      inTransaction(async (client) => {
        const found = await lockPresent(client, ref, 'owner')
        upTo ??= found.lastSeq
        const rows = await queryKey(client, selectUncleared, found.key, [upTo, clearedPerTransaction])
        const seqs = rows.map(([seq]) => seq as number)
        if (seqs.length === 0) return unmoved({ conversation: found, isDone: true })
        const cleared = await tombstoneMessages(client, found, seqs)
        const isLast = seqs.length < clearedPerTransaction
        return moving({ conversation: cleared.conversation, isDone: isLast }, cleared.conversation)
      }),
    )
    free(store.quotas, ref.userId)
    if (isDone) return conversation
  }
}

const selectUncleared: Statement<'key'> = {
  name: 'message-uncleared',
  kind: 'key',
  text: `
    select m.seq from message m
    where m.conversation_key = $1 and m.seq <= $2 and m.deleted_at is null order by m.seq limit $3`,
}
