import { formatUuid, readBase64url, writeUuid } from './bytes.ts'
import { type Place, type PlaceHead, placeText, unpackPlace } from './place.ts'

/** What an `id` names. */
export type GlobalId =
  | { readonly kind: 'message'; readonly place: Place }
  | { readonly kind: 'viewer'; readonly userId: string }
  | { readonly kind: 'conversation'; readonly key: string; readonly epoch: number }
  | { readonly kind: 'own'; readonly id: string }
  | { readonly kind: 'malformed' }

/** An owner's own id for a conversation may not begin with these. `client:` is kept free for client libraries. */
export const reservedPrefixes = ['msg_', 'usr_', 'cnv_', 'client:'] as const

/** The `id` of a message of the conversation that the head is of. */
export function messageId(head: PlaceHead, seq: number): string {
  return `msg_${placeText(head, seq)}`
}

export function viewerId(userId: string): string {
  return `usr_${userId}`
}

/** The `id` of a conversation for a viewer: its owner's own string for the owner, and `cnv_…` for anybody else. */
export function conversationId(
  viewer: { readonly userId: string },
  conversation: { readonly userId: string; readonly id: string; readonly key: string; readonly epoch: number },
): string {
  return viewer.userId === conversation.userId ? conversation.id : opaqueConversationId(conversation)
}

/** `cnv_…`, which stands for the conversation whoever looks. */
export function opaqueConversationId({ key, epoch }: { readonly key: string; readonly epoch: number }): string {
  const bytes = Buffer.alloc(22)
  writeUuid(bytes, key, 0)
  bytes.writeUIntBE(epoch, 16, 6)
  return `cnv_${bytes.toString('base64url')}`
}

/** Reads an `id` argument. An id without one of our prefixes is an owner's own id. */
export function readGlobalId(text: string): GlobalId {
  if (text.startsWith('msg_')) {
    const read = unpackPlace(text.slice(4))
    return read !== null && read.rest.length === 0 ? { kind: 'message', place: read.place } : { kind: 'malformed' }
  }
  if (text.startsWith('cnv_')) {
    const bytes = readBase64url(text.slice(4))
    if (bytes?.length !== 22) return { kind: 'malformed' }
    return { kind: 'conversation', key: formatUuid(bytes.subarray(0, 16)), epoch: bytes.readUIntBE(16, 6) }
  }
  if (text.startsWith('usr_')) return { kind: 'viewer', userId: text.slice(4) }
  if (text.startsWith('client:')) return { kind: 'malformed' }
  return { kind: 'own', id: text }
}
