import type { Conversation } from '../entities/conversation.ts'
import type { Message } from '../entities/message/message.ts'
import type { Changes, Known } from '../storage/message/changes.ts'

/** One thing that happened. `known` says how much of the conversation a reader knows after it. */
export type ConversationChange = { readonly known: Known } & (
  | { readonly kind: 'appended'; readonly message: Message }
  | { readonly kind: 'updated'; readonly message: Message }
  | { readonly kind: 'deleted'; readonly message: Message }
  | { readonly kind: 'conversation' | 'participants'; readonly conversation: Conversation }
)

/**
 * The changes of one read, in their order: changed messages and the conversation itself by revision, then new messages
 * by seq. A reader may stop after any change and go on later from its `known`, and misses nothing. It may get the same
 * state of a message twice. It never gets an older state after a newer one, because a read brings every message as it
 * is at the read. Once there is no more, the reader knows all messages up to the last one.
 */
export function toChanges(known: Known, read: Changes): { changes: ConversationChange[]; known: Known } {
  const { conversation, hasAllChanged } = read
  // Changes behind the last one of this read are not known yet. A later change of the conversation itself is not,
  // either.
  const upTo = hasAllChanged ? conversation.revision : (read.changed.at(-1)?.revision ?? known.revision)
  const changes: ConversationChange[] = read.changed.map((message) => ({
    kind: message.deletedAt === null ? 'updated' : 'deleted',
    message,
    known: { ...known, revision: message.revision ?? known.revision },
  }))
  const { changedRevision, participantsRevision } = conversation
  const own = [
    { kind: 'conversation', revision: changedRevision },
    { kind: 'participants', revision: participantsRevision ?? 0 },
  ] as const
  for (const { kind, revision } of own) {
    if (revision <= known.revision || revision > upTo) continue
    const at = changes.findIndex((change) => change.known.revision > revision)
    changes.splice(at === -1 ? changes.length : at, 0, { kind, conversation, known: { ...known, revision } })
  }
  let now = { ...known, revision: upTo }
  for (const message of read.appended) {
    now = { ...now, seq: message.seq }
    changes.push({ kind: 'appended', message, known: now })
  }
  if (!read.hasMore) now = { ...now, seq: conversation.lastSeq }
  return { changes, known: now }
}
