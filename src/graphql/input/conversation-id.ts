import { contractLimits } from '../../config.ts'
import { readGlobalId, reservedPrefixes } from '../../entities/ids/global-id.ts'
import { badInput, conversationNotFound } from '../../errors.ts'
import { conversationKey } from '../../storage/conversation/conversation-key.ts'
import type { ConversationRef } from '../../storage/conversation/conversation-ref.ts'
import { isStorable, requireName } from './text-rules.ts'

/** A conversation named by its owner's own id, so that it can be created. */
export type OwnConversationRef = ConversationRef & { readonly id: string }

/**
 * The conversation that an id names for this viewer: the viewer's own id, or `cnv_…`. null if the id can name none. An
 * id that nobody can have is not an error: it finds nothing, like any other id that does not exist.
 */
export function readConversationId(userId: string, text: string): ConversationRef | null {
  // No id is so long, and to hash megabytes takes long: a character has at most two units.
  if (text.length > 2 * contractLimits.conversationId) return null
  const id = readGlobalId(text)
  if (id.kind === 'conversation') return { userId, key: id.key, epoch: id.epoch, id: null }
  return id.kind === 'own' && isStorable(text) ? ownRef(userId, text) : null
}

/** The same for what takes no other answer. @throws ApiError NOT_FOUND if the id can name none */
export function requireConversationRef(userId: string, text: string): ConversationRef {
  const ref = readConversationId(userId, text)
  if (ref === null) throw conversationNotFound()
  return ref
}

/** @throws ApiError if no conversation may have this id */
export function readNewConversationId(userId: string, path: string, id: string): OwnConversationRef {
  requireName(path, id, contractLimits.conversationId)
  const prefix = reservedPrefixes.find((reserved) => id.startsWith(reserved))
  if (prefix !== undefined) throw badInput(path, `must not begin with ${prefix}, which is kept for ids of this API.`)
  return ownRef(userId, id)
}

function ownRef(userId: string, id: string): OwnConversationRef {
  return { userId, key: conversationKey(userId, id), epoch: null, id }
}
