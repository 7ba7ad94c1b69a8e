import type { Conversation } from '../entities/conversation.ts'
import type { Message } from '../entities/message.ts'
import type { Changes, Known } from '../storage/message/changes.ts'

/** One thing that happened, and how much is known once it was taken in. */
export type ConversationChange = { readonly known: Known } & (
  | { readonly kind: 'appended'; readonly message: Message }
  | { readonly kind: 'updated'; readonly message: Message }
  | { readonly kind: 'deleted'; readonly message: Message }
  | { readonly kind: 'conversation'; readonly conversation: Conversation }
)

/**
 * The changes of one read, in their order: changed messages and the conversation itself by revision, then new messages
 * by seq. Whoever breaks off after any of them and goes on from its `known` misses nothing: a state may come twice, and
 * an older one never follows a newer one, for every state is the one at the read.
 */
export function toChanges(known: Known, read: Changes): { changes: ConversationChange[]; known: Known } {
  const { conversation, hasAllChanged } = read
  // What was cut off is not known yet, and neither is a change of the conversation beyond it.
  const upTo = hasAllChanged ? conversation.revision : (read.changed.at(-1)?.revision ?? known.revision)
  const changes: ConversationChange[] = read.changed.map((message) => ({
    kind: message.deletedAt === null ? 'updated' : 'deleted',
    message,
    known: { ...known, revision: message.revision ?? known.revision },
  }))
  const { changedRevision } = conversation
  if (changedRevision > known.revision && changedRevision <= upTo) {
    const at = changes.findIndex((change) => change.known.revision > changedRevision)
    const change = { kind: 'conversation', conversation, known: { ...known, revision: changedRevision } } as const
    changes.splice(at === -1 ? changes.length : at, 0, change)
  }
  let now = { ...known, revision: upTo }
  for (const message of read.appended) {
    now = { ...now, seq: message.seq }
    changes.push({ kind: 'appended', message, known: now })
  }
  return { changes, known: now }
}
