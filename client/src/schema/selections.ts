// `npm run generate` writes this file from the schema. Do not edit it.

import type { ContextArguments, StartMessageInput } from './types.ts'

/** The fields of a `Message`. */
export const messageSelection = `
  id seq role name content parts partsFormat toolCalls { callId name arguments type extra } toolName toolCallId
  toolError model finishReason usage error { code message } metadata clientId status sentAt createdAt updatedAt editedAt
  deletedAt stopRequestedAt nextChunk conversationId author { userId kind name } revision parentId`

/** The variables of `contextField`, as an operation declares them. */
export const contextVariables = `
  $maxTokens: Int!, $system: String, $userMessage: MessageInput, $format: ContextFormat! = OPENAI_CHAT, $encoding:
  TokenEncoding! = O200K_BASE, $reserve: Int, $maxImages: Int, $cacheMarks: Int! = 0, $reasoningContent:
  ReasoningContent! = NONE, $pendingCalls: PendingCallRule! = INTERRUPT, $authors: Boolean! = false, $recall:
  RecallInput`

/** A `ContextWindow`, as a field of a conversation. */
export const contextField = `
  context(maxTokens: $maxTokens, system: $system, userMessage: $userMessage, format: $format, encoding: $encoding,
  reserve: $reserve, maxImages: $maxImages, cacheMarks: $cacheMarks, reasoningContent: $reasoningContent, pendingCalls:
  $pendingCalls, authors: $authors, recall: $recall) { system messages tokenCount toolNames { name written } included
  recalled omitted { reasons } firstSeq lastSeq pendingCalls { callId name type arguments approved approvalId messageId
  } }`

/** The fields of every kind of `ConversationEvent`. @param selected fields of `Message` */
export function eventSelection(selected: string): string {
  return `
    __typename cursor conversationId
    ... on MessageAppended { edge { cursor node { ${selected} } } }
    ... on MessageUpdated { message { ${selected} } }
    ... on MessageDeleted { message { ${selected} } }
    ... on MessageTextAppended { messageId seq chunk text data }
    ... on ConversationUpdated { conversation { id userId title metadata lastSeq createdAt updatedAt archivedAt cursor
    activeLeaf { id seq } } }
    ... on ParticipantsChanged { conversation { id userId title metadata lastSeq createdAt updatedAt archivedAt cursor
    activeLeaf { id seq } } }
    ... on ReadMarkersChanged { readMarkers { userId readSeq } participantCount }
    ... on TypingChanged { userIds }
    ... on PresenceChanged { present { count userIds } }`
}

/** The names of `ContextArguments`. */
export const contextArguments = [
  'maxTokens',
  'system',
  'userMessage',
  'format',
  'encoding',
  'reserve',
  'maxImages',
  'cacheMarks',
  'reasoningContent',
  'pendingCalls',
  'authors',
  'recall',
] as const satisfies readonly (keyof ContextArguments)[]

/** The names of `StartMessageInput`. */
export const startFields = [
  'conversationId',
  'ifMissing',
  'ifLastSeq',
  'messages',
  'role',
  'name',
  'model',
  'clientId',
  'metadata',
  'parentId',
  'parentClientId',
  'replyTo',
  'mentions',
  'timeoutSeconds',
] as const satisfies readonly (keyof StartMessageInput)[]
