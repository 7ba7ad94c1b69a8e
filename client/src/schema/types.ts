// `npm run generate` writes this file from the schema. Do not edit it.

/** The API or SDK that a window is written for. */
export type ContextFormat =
  /** `messages` of OpenAI chat completions. */
  | 'OPENAI_CHAT'
  /** `input` items of the OpenAI Responses API. */
  | 'OPENAI_RESPONSES'
  /** `messages` of the Anthropic Messages API; the instructions are in `system`. */
  | 'ANTHROPIC'
  /** UIMessage[] of the AI SDK, as `useChat` and `convertToModelMessages` take it; the instructions are in `system`. */
  | 'AI_SDK'
  /** `messages` of `generateText` and `streamText` of the AI SDK (ModelMessage[]); the instructions are in `system`. */
  | 'AI_SDK_MODEL'

/** What to do when there is a conversation of that id. */
export type IfExists =
  /** Refuse with CONFLICT, reason EXISTS. */
  | 'FAIL'
  /** Answer it as it is, with `created: false`. */
  | 'RETURN'

/** What to do when there is no conversation of that id. */
export type IfMissing =
  /** Refuse with NOT_FOUND. */
  | 'FAIL'
  /** Create it with this append, in one transaction. */
  | 'CREATE'

/** Who speaks in a message. */
export type MessageRole =
  /** Instructions for the model. */
  | 'SYSTEM'
  /** Instructions for the model, under the newer name that OpenAI gave them. */
  | 'DEVELOPER'
  /** A person, or a program that speaks for a person. */
  | 'USER'
  /** The model, also when it only calls tools. */
  | 'ASSISTANT'
  /** The result of one tool call; `toolCallId` names the call. */
  | 'TOOL'

/** Whether a message is still being written, and how its writing ended. */
export type MessageStatus =
  /** The message is still being written. */
  | 'STREAMING'
  /** The message is whole. */
  | 'COMPLETE'
  /** The producer of the message failed; `error` says why. */
  | 'FAILED'
  /** The message was stopped before it was whole. */
  | 'CANCELLED'

/** Why something of the conversation is not in a window, or was changed in it. */
export type OmissionReason =
  /** Older turns did not fit. */
  | 'BUDGET'
  /** Messages before the first message of the user were left out: a window cannot begin with them. */
  | 'BEFORE_FIRST_USER'
  /** Results without their call were left out. */
  | 'ORPHANED_RESULT'
  /** Calls without a result got a result that says that the call was interrupted. */
  | 'INTERRUPTED_CALL'
  /** Messages that are still being written were left out. */
  | 'STREAMING'
  /** Messages that say nothing in this format were left out. */
  | 'EMPTY'
  /** Parts that this format cannot express were left out. */
  | 'UNSUPPORTED_PART'

/** What to do with a known client id that comes with another payload. */
export type OnExisting =
  /** Refuse all with CONFLICT, reason CLIENT_ID. */
  | 'FAIL'
  /** Edit that message in its place, as saving a whole transcript again needs it; one that was deleted stays so. */
  | 'REPLACE'

/** The dialect that `parts` is written in. */
export type PartsFormat =
  /** Content parts of OpenAI chat completions. */
  | 'OPENAI_CHAT'
  /** Items and content parts of the OpenAI Responses API. */
  | 'OPENAI_RESPONSES'
  /** Content blocks of the Anthropic Messages API. */
  | 'ANTHROPIC'
  /** Parts of a UIMessage or ModelMessage of the AI SDK. */
  | 'AI_SDK'
  /** Content blocks of LangChain messages. */
  | 'LANGCHAIN'
  /** The caller's own dialect: the server keeps such parts and does not read them. A model reads `content` instead. */
  | 'OTHER'

/**
 * How text is cut into tokens. Models of other providers cut it in their own ways: for them every count is an estimate.
 */
export type TokenEncoding =
  /** The encoding of OpenAI's models since GPT-4o. */
  | 'O200K_BASE'
  /** The encoding of OpenAI's GPT-4 and GPT-3.5. */
  | 'CL100K_BASE'

/** What `appendMessage` takes. */
export interface AppendMessageInput {
  /** The conversation. */
  readonly conversationId: string
  /** What to do when there is none of that id. */
  readonly ifMissing?: IfMissing
  /**
   * Append only if this is the conversation's last seq, so that two turns at once cannot both win; one that is missing
   * has 0.
   */
  readonly ifLastSeq?: number | null
  /** The message. */
  readonly message: MessageInput
}

/** What `appendMessageText` takes. */
export interface AppendMessageTextInput {
  /** The message. */
  readonly messageId: string
  /** The attempt that `startMessage` or `resumeMessage` answered. */
  readonly attempt: number
  /** The number of this chunk: 0, 1, 2 … One that is there is acknowledged, not added again. */
  readonly chunk: number
  /** The text; empty without `data`: only a sign of life, which takes no number. */
  readonly text: string
  /** What is not text, as reasoning or deltas of tool input; kept until the message is complete. */
  readonly data?: unknown
  /**
   * Whether to answer once the chunk is stored. Otherwise it is answered at once where that can be: then keep the
   * chunks from `storedChunks` on, and send them again when a later call is CONFLICT, reason CHUNK.
   */
  readonly durable?: boolean
}

/** What `appendMessages` takes. */
export interface AppendMessagesInput {
  /** The conversation. */
  readonly conversationId: string
  /** What to do when there is none of that id. */
  readonly ifMissing?: IfMissing
  /**
   * Append only if this is the conversation's last seq, so that two turns at once cannot both win; one that is missing
   * has 0.
   */
  readonly ifLastSeq?: number | null
  /** What to do with a known client id that comes with another payload. */
  readonly onExisting?: OnExisting
  /** From 1 to 100 messages, in order. */
  readonly messages: readonly MessageInput[]
}

/** What `clearConversation` takes. */
export interface ClearConversationInput {
  /** The conversation. */
  readonly id: string
}

/** What `completeMessage` takes. null is the same as absent. */
export interface CompleteMessageInput {
  /** Its whole text; absent: the text of the chunks. */
  readonly content?: string | null
  /** Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts. */
  readonly parts?: readonly unknown[] | null
  /** The dialect of `parts`. */
  readonly partsFormat?: PartsFormat | null
  /** The tools that an assistant asks to be called, at most `MAX_TOOL_CALLS`. */
  readonly toolCalls?: readonly ToolCallInput[] | null
  /** The model that wrote it; absent: as it was started. */
  readonly model?: string | null
  /** The provider's reason for ending there. */
  readonly finishReason?: string | null
  /** The provider's token counts. */
  readonly usage?: Readonly<Record<string, unknown>> | null
  /** Merged into the metadata at its top level; at most 16 KiB of JSON together. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** The message. */
  readonly messageId: string
  /** The attempt that wrote it. */
  readonly attempt: number
  /** How many chunks there were: with another number stored it is CONFLICT, reason CHUNK. */
  readonly chunks: number
  /** COMPLETE, FAILED or CANCELLED. */
  readonly status?: MessageStatus
  /** Why it failed. */
  readonly error?: MessageErrorInput | null
}

/**
 * Which conversations of a list: those that fulfil all that is given. null is the same as absent. Metadata that only
 * few of them have takes a look at all of the viewer's conversations.
 */
export interface ConversationFilter {
  /**
   * Those whose metadata contains this: every key of it, with an equal value, or with an object or a list that contains
   * the one given here. At most 16 KiB as JSON.
   */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** true: only archived ones; false: only those that are not. */
  readonly archived?: boolean | null
  /** Those that changed after this time. */
  readonly updatedAfter?: string | null
}

/** What `createConversation` takes. */
export interface CreateConversationInput {
  /** Your own id for it, 1 to 128 characters; not beginning with msg_, usr_, cnv_ or client:. Absent: a UUIDv7. */
  readonly id?: string | null
  /** A title to show, at most 1000 characters. */
  readonly title?: string | null
  /** Your own data about it, at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** What to do when there is one of that id. */
  readonly ifExists?: IfExists
}

/** What `deleteConversation` takes. */
export interface DeleteConversationInput {
  /** The conversation. */
  readonly id: string
}

/** What `deleteMessage` takes. */
export interface DeleteMessageInput {
  /** The message; or else `conversationId` and `clientId`. */
  readonly messageId?: string | null
  /** The conversation, together with `clientId`. */
  readonly conversationId?: string | null
  /** The caller's own id for the message, with `conversationId`. */
  readonly clientId?: string | null
}

/** What `editMessage` takes. What is absent stays; null clears. */
export interface EditMessageInput {
  /** The message; or else `conversationId` and `clientId`. */
  readonly messageId?: string | null
  /** The conversation, together with `clientId`. */
  readonly conversationId?: string | null
  /** The caller's own id for the message, with `conversationId`. */
  readonly clientId?: string | null
  /**
   * The new text. Absent with `parts` of a known format: their text parts, joined. A message whose parts hold text
   * takes it only together with new `parts`.
   */
  readonly content?: string | null
  /** The new parts, at most `MAX_PARTS`. */
  readonly parts?: readonly unknown[] | null
  /** The dialect of `parts`. */
  readonly partsFormat?: PartsFormat | null
  /** The new tool calls, at most `MAX_TOOL_CALLS`. */
  readonly toolCalls?: readonly ToolCallInput[] | null
  /** Merged into the metadata at its top level; at most 16 KiB of JSON together. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** Edit only if this is the message's `revision`; otherwise CONFLICT, reason REVISION. */
  readonly ifRevision?: string | null
}

/** What `forkConversation` takes. */
export interface ForkConversationInput {
  /** The conversation to copy. */
  readonly id: string
  /** Your own id for the copy, as `createConversation` takes it. Absent: a UUIDv7. */
  readonly newId?: string | null
  /**
   * The last seq to copy, which is then where the active path ends; 0 copies no message. Absent: all of them, and the
   * active leaf.
   */
  readonly upToSeq?: number | null
}

/** Why a message failed. */
export interface MessageErrorInput {
  /** A short word for programs, at most 255 characters. */
  readonly code: string
  /** A sentence for people. */
  readonly message: string
}

/**
 * A message to append. It has content, parts or tool calls. null is the same as absent; at most `MAX_MESSAGE_BYTES` in
 * all.
 */
export interface MessageInput {
  /** Who speaks. */
  readonly role: MessageRole
  /** The name of the speaker, at most 255 characters. */
  readonly name?: string | null
  /** Its text. Absent with `parts` of a known format: their text parts, joined. */
  readonly content?: string | null
  /** The caller's own id for it, at most 255 characters: an append that is tried again with it happens once. */
  readonly clientId?: string | null
  /** Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts. */
  readonly parts?: readonly unknown[] | null
  /** The dialect of `parts`. */
  readonly partsFormat?: PartsFormat | null
  /** The tools that an assistant asks to be called, at most `MAX_TOOL_CALLS`. */
  readonly toolCalls?: readonly ToolCallInput[] | null
  /** Of a TOOL message: the name of the tool. */
  readonly toolName?: string | null
  /** Of a TOOL message, and required there: the call that it answers. */
  readonly toolCallId?: string | null
  /** Of a TOOL message: whether the tool failed. */
  readonly toolError?: boolean | null
  /** The model that wrote it. */
  readonly model?: string | null
  /** The provider's reason for ending there. */
  readonly finishReason?: string | null
  /** The provider's token counts. */
  readonly usage?: Readonly<Record<string, unknown>> | null
  /** The caller's own data about it, at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** The caller's own time for it; orders nothing. */
  readonly sentAt?: string | null
  /**
   * The `id` of the message of this conversation that it continues, in order to branch: to edit a message, its
   * `parentId`, or the conversation's own `id` where that is null; to answer anew, what is answered. Absent: the
   * message before it in this call, or else the active leaf.
   */
  readonly parentId?: string | null
}

/** What `resumeMessage` takes. */
export interface ResumeMessageInput {
  /** The message. */
  readonly messageId: string
}

/** What `setActiveLeaf` takes. */
export interface SetActiveLeafInput {
  /** The message with which the active path shall end: exactly this one. */
  readonly messageId: string
}

/** What `startMessage` takes. */
export interface StartMessageInput {
  /** The conversation. */
  readonly conversationId: string
  /** What to do when there is none of that id. */
  readonly ifMissing?: IfMissing
  /**
   * Append only if this is the conversation's last seq, so that two turns at once cannot both win; one that is missing
   * has 0.
   */
  readonly ifLastSeq?: number | null
  /** Messages to store before it in the same transaction, at most 99: the user's, or the tools' results. */
  readonly messages?: readonly MessageInput[] | null
  /** Who speaks. */
  readonly role?: MessageRole
  /** The name of the speaker, at most 255 characters. */
  readonly name?: string | null
  /** The model that writes it. */
  readonly model?: string | null
  /** The caller's own id for it; makes this call safe to retry. */
  readonly clientId?: string | null
  /** The caller's own data about it, at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** What it continues, as `MessageInput.parentId` says. Absent: the last of `messages`, or else the active leaf. */
  readonly parentId?: string | null
  /** How long its producer may give no sign of life, from 1 to 3600; then it is FAILED, PRODUCER_GONE. */
  readonly timeoutSeconds?: number
}

/** What `stopMessage` takes. */
export interface StopMessageInput {
  /** The message. */
  readonly messageId: string
}

/** A call of a tool that an assistant asks for. */
export interface ToolCallInput {
  /** The provider's id of the call, at most 255 characters. */
  readonly callId: string
  /** The name of the tool, at most 255 characters. */
  readonly name: string
  /** The arguments exactly as the model wrote them; kept byte for byte. */
  readonly arguments: string
  /** The kind of call; `function` unless given. */
  readonly type?: string | null
  /** Whatever else the provider's call holds. */
  readonly extra?: Readonly<Record<string, unknown>> | null
}

/** What `updateConversation` takes. What is absent stays; null clears. */
export interface UpdateConversationInput {
  /** The conversation. */
  readonly id: string
  /** A new title, at most 1000 characters. */
  readonly title?: string | null
  /** Merged into the metadata at its top level; at most 16 KiB of JSON together. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** Whether it is archived. */
  readonly archived?: boolean | null
}

/** The arguments of the field `context` of a conversation. */
export interface ContextArguments {
  /** The most tokens, as they are counted here, from 1 to 10000000; `reserve` among them. */
  readonly maxTokens: number
  /** Instructions that come before all others; they are not stored. */
  readonly system?: string | null
  /** The user's new message, which comes last; it is not stored. Its role is USER. */
  readonly userMessage?: MessageInput | null
  /** The API or the SDK that the messages are for. */
  readonly format?: ContextFormat
  /** Whose tokens to count. */
  readonly encoding?: TokenEncoding
  /** How many of `maxTokens` to leave free, for the answer and the descriptions of tools; none unless given. */
  readonly reserve?: number | null
}

/** What `appendMessage` answers, after the message is durable. */
export interface AppendMessagePayload<Selected = Message> {
  /** The message as it is stored. */
  readonly message: Selected
  /** The message with its cursor. */
  readonly messageEdge: MessageEdge<Selected>
  /** Its conversation. */
  readonly conversation: Conversation
  /** Whether an earlier call with the same client id had stored it. */
  readonly replayed: boolean
}

/** What `appendMessageText` answers. */
export interface AppendMessageTextPayload {
  /** The number of the next chunk. */
  readonly nextChunk: number
  /** How many chunks are durable; a producer keeps the rest. */
  readonly storedChunks: number
  /** Whether somebody asked it to stop; end it with `completeMessage`. */
  readonly stopRequested: boolean
}

/** What `appendMessages` answers, after the messages are durable. */
export interface AppendMessagesPayload<Selected = Message> {
  /** The messages as they are stored, in the order of the input. */
  readonly messages: readonly Selected[]
  /** The messages with their cursors. */
  readonly messageEdges: readonly MessageEdge<Selected>[]
  /** Their conversation. */
  readonly conversation: Conversation
  /** Of each, whether an earlier call with the same client id had stored it. */
  readonly replayed: readonly boolean[]
}

/**
 * Everything that was there when the subscription began was sent; from here on it is live. Comes once in a
 * subscription.
 */
export interface CaughtUp {
  readonly __typename: 'CaughtUp'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
}

/** What `clearConversation` answers. */
export interface ClearConversationPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** What `completeMessage` answers, after the change is durable. */
export interface CompleteMessagePayload<Selected = Message> {
  /** The message as it is now. */
  readonly message: Selected
  /** Its conversation. */
  readonly conversation: Conversation
  /** Whether the same call had completed it before. */
  readonly replayed: boolean
}

/**
 * What a model reads: ready to send, and valid for its provider. A call and its results are in it together or not at
 * all.
 */
export interface ContextWindow {
  /** The instructions, where the provider takes them apart from the messages; null where it does not. */
  readonly system: unknown
  /** The messages in the provider's own form, oldest first: a list. */
  readonly messages: unknown
  /**
   * Its tokens, `reserve` not among them: an estimate of what the provider counts, for models that are not of OpenAI a
   * rough one. Each message takes 4 more than its words, each call too, and a picture or file 1000.
   */
  readonly tokenCount: number
  /** How many stored messages are in it. */
  readonly included: number
  /** What is not in it. */
  readonly omitted: OmittedMessages
  /** The seq of its first stored message after the leading instructions; null when there is none. */
  readonly firstSeq: number | null
  /** The seq of its last stored message; null when `firstSeq` is. */
  readonly lastSeq: number | null
}

/** An ordered log of messages with one owner. */
export interface Conversation {
  /** The owner's own id for this conversation, or the UUIDv7 that the server gave it. */
  readonly id: string
  /** The user who owns this conversation. */
  readonly userId: string
  /** A title to show; at most 1000 characters. */
  readonly title: string | null
  /** The caller's own data about this conversation. The order of its keys is not kept. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The `seq` of the newest message; 0 while there is no message. */
  readonly lastSeq: number
  /** When this conversation was created. */
  readonly createdAt: string
  /** When this conversation last changed. This time never runs backwards. */
  readonly updatedAt: string
  /** When this conversation was archived; null while it is not archived. */
  readonly archivedAt: string | null
  /**
   * Where its feed stands, no later than any other field of this answer; also when it is empty. Pass it as `after` of a
   * subscription to go on from here.
   */
  readonly cursor: string
  /**
   * The message with which the active path ends: the newest one, or the one that `setActiveLeaf` chose since. null
   * while it is empty.
   */
  readonly activeLeaf: Pick<Message, 'id' | 'seq'> | null
}

/** What happened after a cursor. */
export interface ConversationChanges<Selected = Message> {
  /** As `conversationEvents` sends them, without `CaughtUp` and `ConversationDeleted`. */
  readonly events: readonly ConversationEvent<Selected>[]
  /** Pass it as `after` to go on; also when there were no events. */
  readonly cursor: string
  /** Whether there is more right now. */
  readonly hasMore: boolean
}

/** A page of conversations, newest activity first. */
export interface ConversationConnection {
  /** The conversations with their cursors. */
  readonly edges: readonly ConversationEdge[]
  /** The conversations alone. */
  readonly nodes: readonly Conversation[]
  /** What lies around this page. */
  readonly pageInfo: PageInfo
  /**
   * Where the feed of the list stands, no later than this page. Pass that of the first page that you read as `after` of
   * `conversationsChanged`, and nothing is lost in between.
   */
  readonly cursor: string
}

/** The conversation was deleted. Nothing comes after this. */
export interface ConversationDeleted {
  readonly __typename: 'ConversationDeleted'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
}

/** A conversation and its place in the list. */
export interface ConversationEdge {
  /** Its place in the list, as it stood when it was read. */
  readonly cursor: string
  /** The conversation. */
  readonly node: Conversation
}

/**
 * Everything that was there when the subscription began was sent; from here on it is live. Comes once in a
 * subscription.
 */
export interface ConversationListCaughtUp {
  readonly __typename: 'ConversationListCaughtUp'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
}

/**
 * A conversation was created or changed, also when it got a message: put it at its place by `updatedAt`, and take it
 * from where it was.
 */
export interface ConversationListed {
  readonly __typename: 'ConversationListed'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** A conversation was deleted. It may be one that you never heard of. */
export interface ConversationUnlisted {
  readonly __typename: 'ConversationUnlisted'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
}

/** The conversation's title, metadata or archivedAt changed, or `setActiveLeaf` chose another leaf. */
export interface ConversationUpdated {
  readonly __typename: 'ConversationUpdated'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** What `createConversation` answers. */
export interface CreateConversationPayload {
  /** The conversation, new or found. */
  readonly conversation: Conversation
  /** Whether this call created it. */
  readonly created: boolean
}

/** What `deleteConversation` answers. */
export interface DeleteConversationPayload {
  /** The id that it had. */
  readonly deletedConversationId: string
}

/** What `deleteMessage` answers, after the change is durable. */
export interface DeleteMessagePayload<Selected = Message> {
  /** The tombstone: its place and its times, without its content. */
  readonly message: Selected
  /** Its conversation. */
  readonly conversation: Conversation
}

/** What `editMessage` answers, after the change is durable. */
export interface EditMessagePayload<Selected = Message> {
  /** The message as it is now. */
  readonly message: Selected
  /** Its conversation. */
  readonly conversation: Conversation
}

/** What `forkConversation` answers, after the copy is durable. */
export interface ForkConversationPayload {
  /** The copy. */
  readonly conversation: Conversation
}

/** One entry of a conversation. */
export interface Message {
  /** Opaque. After its conversation was deleted, `node` answers null for this id. */
  readonly id: string
  /**
   * The position of this message in its conversation: 1, 2, 3 … without gaps, in the order of commit. A deleted message
   * keeps its position.
   */
  readonly seq: number
  /** Who speaks. */
  readonly role: MessageRole
  /** The name of the speaker, when several speakers share a role. */
  readonly name: string | null
  /** The text of this message, byte for byte; null when it has only tool calls or parts. */
  readonly content: string | null
  /**
   * Typed content in the dialect that `partsFormat` names. The JSON is equal to what was sent, with its keys in the
   * same order.
   */
  readonly parts: readonly unknown[] | null
  /** The dialect that `parts` is written in. */
  readonly partsFormat: PartsFormat | null
  /** The tool calls that an assistant asks for, in order. */
  readonly toolCalls: readonly ToolCall[]
  /** Of a TOOL message: the name of the tool. */
  readonly toolName: string | null
  /** Of a TOOL message: the call that it answers. */
  readonly toolCallId: string | null
  /** Of a TOOL message: whether the tool failed. */
  readonly toolError: boolean | null
  /** The model that wrote this message. */
  readonly model: string | null
  /** Why the model stopped, in the word of its provider. */
  readonly finishReason: string | null
  /** The token counts that the provider reported. */
  readonly usage: Readonly<Record<string, unknown>> | null
  /** Why this message failed. */
  readonly error: MessageError | null
  /** The caller's own data about this message. The order of its keys is not kept. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The caller's own id for this message, unique in its conversation. An append with a client id is safe to retry. */
  readonly clientId: string | null
  /** Whether this message is still being written, and how its writing ended. */
  readonly status: MessageStatus
  /** The caller's own time for this message. Nothing is ordered by it. */
  readonly sentAt: string | null
  /** When this message was stored. */
  readonly createdAt: string
  /** When this message last changed. */
  readonly updatedAt: string
  /** When this message was last edited; null when it never was. */
  readonly editedAt: string | null
  /** When this message was deleted; null when it is not. A deleted message stays in its place, without its content. */
  readonly deletedAt: string | null
  /** When somebody asked the producer of this message to stop; null when nobody did. */
  readonly stopRequestedAt: string | null
  /** While this message streams: the number of the next chunk; `content` holds all chunks before it. Otherwise null. */
  readonly nextChunk: number | null
  /** Its conversation's `id`. */
  readonly conversationId: string
  /** Moves with every change of this message; "0" until the first. */
  readonly revision: string
  /**
   * The `id` of the message that it continues: the one before it unless it was appended with another `parentId`. null
   * of a first message. It never changes.
   */
  readonly parentId: string | null
}

/** A message was appended. */
export interface MessageAppended<Selected = Message> {
  readonly __typename: 'MessageAppended'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The message as it is now; a tombstone when it is deleted already. */
  readonly edge: MessageEdge<Selected>
}

/** A piece of text added to a message that is still streaming. */
export interface MessageChunk {
  /** The number of this chunk: 0, 1, 2 … */
  readonly chunk: number
  /** The text of this chunk; it may be empty. */
  readonly text: string
  /** Data that is not text, as the producer sent it. */
  readonly data: unknown
}

/** A page of messages, by seq. */
export interface MessageConnection<Selected = Message> {
  /** The messages with their cursors. */
  readonly edges: readonly MessageEdge<Selected>[]
  /** The messages alone. */
  readonly nodes: readonly Selected[]
  /** What lies around this page. */
  readonly pageInfo: PageInfo
}

/** A message was deleted. */
export interface MessageDeleted<Selected = Message> {
  readonly __typename: 'MessageDeleted'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The tombstone. */
  readonly message: Selected
}

/** A message and its place. */
export interface MessageEdge<Selected = Message> {
  /** Its place: for paging, and for a subscription to go on from. */
  readonly cursor: string
  /** The message. */
  readonly node: Selected
}

/** Why a message failed. */
export interface MessageError {
  /** A short word for programs. */
  readonly code: string
  /** A sentence for people. */
  readonly message: string
}

/** The messages that continue the same message: a reader may choose between these versions. */
export interface MessageSiblings {
  /** The place of this message among its siblings, from 0. */
  readonly index: number
  /** How many siblings there are, with this message and with deleted ones; 1 when nothing branched. */
  readonly count: number
  /**
   * The `id`s of the siblings, by seq; the `id` of this message is among them. Of more than 100 siblings, only those
   * around this message.
   */
  readonly ids: readonly string[]
}

/**
 * A chunk of text was added to a message that is streaming. Chunks come in their order, from the `nextChunk` on that
 * the message had when it was last sent.
 */
export interface MessageTextAppended {
  readonly __typename: 'MessageTextAppended'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The message's `id`. */
  readonly messageId: string
  /** The message's seq. */
  readonly seq: number
  /** The number of the chunk. */
  readonly chunk: number
  /** The text, to be put after what there is. */
  readonly text: string
  /** What is not text, as its producer gave it. */
  readonly data: unknown
}

/** A message was changed. */
export interface MessageUpdated<Selected = Message> {
  readonly __typename: 'MessageUpdated'
  /** Go on from here to miss nothing after this event. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The message as it is now. */
  readonly message: Selected
}

/** What of the path that a window follows is not in it. */
export interface OmittedMessages {
  /** Why, and what stands there otherwise than it was said; each once. */
  readonly reasons: readonly OmissionReason[]
}

/** What lies around a page; exact in both directions. */
export interface PageInfo {
  /** Whether there is anything after the last edge. */
  readonly hasNextPage: boolean
  /** Whether there is anything before the first edge. */
  readonly hasPreviousPage: boolean
  /** The first edge's cursor. */
  readonly startCursor: string | null
  /** The last edge's cursor. */
  readonly endCursor: string | null
}

/** What `resumeMessage` answers. */
export interface ResumeMessagePayload<Selected = Message> {
  /** The message with what is stored of it: go on from its `nextChunk`. */
  readonly message: Selected
  /** The attempt to write with; calls of an older one are CONFLICT, reason ATTEMPT. */
  readonly attempt: number
}

/** What `setActiveLeaf` answers, after the change is durable. */
export interface SetActiveLeafPayload<Selected = Message> {
  /** The conversation as it is now. */
  readonly conversation: Conversation
  /** The message; the next append without a `parentId` continues it. */
  readonly message: Selected
}

/** What `startMessage` answers, after all is durable. */
export interface StartMessagePayload<Selected = Message> {
  /** The message that streams. */
  readonly message: Selected
  /** All that this call stored, in order; the last is the message. */
  readonly messageEdges: readonly MessageEdge<Selected>[]
  /** Its conversation. */
  readonly conversation: Conversation
  /** The attempt to write with; 0 when a replayed message streams no more. */
  readonly attempt: number
  /** Whether an earlier call with the same client id had started it. */
  readonly replayed: boolean
}

/** What `stopMessage` answers. */
export interface StopMessagePayload<Selected = Message> {
  /** The message; its producer is told with its next chunk. */
  readonly message: Selected
}

/** A tool call that an assistant asks for. */
export interface ToolCall {
  /** The provider's id of the call. The TOOL message that answers the call has the same id as its `toolCallId`. */
  readonly callId: string
  /** The name of the tool. */
  readonly name: string
  /** The arguments exactly as the model wrote them. They are usually JSON, but are kept as text, byte for byte. */
  readonly arguments: string
  /** The kind of call; `function` when the caller gave none. */
  readonly type: string
  /** All other fields of the provider's call. */
  readonly extra: Readonly<Record<string, unknown>> | null
}

/** What `updateConversation` answers. */
export interface UpdateConversationPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** The user that this request acts as. */
export interface Viewer {
  /** Unique across all types of this API. Opaque, unless you chose it yourself. */
  readonly id: string
  /** The user's id, as the identity provider names it. */
  readonly userId: string
}

/**
 * Something that happened in a conversation. A client that meets a kind it does not know keeps its place by the cursor.
 */
export type ConversationEvent<Selected = Message> =
  | MessageAppended<Selected>
  | MessageUpdated<Selected>
  | MessageDeleted<Selected>
  | MessageTextAppended
  | ConversationUpdated
  | ConversationDeleted
  | CaughtUp

/**
 * Something that happened to the viewer's list of conversations. A client that meets a kind it does not know keeps its
 * place by the cursor.
 */
export type ConversationListEvent = ConversationListed | ConversationUnlisted | ConversationListCaughtUp
