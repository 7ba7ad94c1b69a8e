// `npm run generate` writes this file from the schema. Do not edit it.

/** What wrote a message. */
export type AuthorKind =
  /** A user, with its own credentials. */
  | 'USER'
  /** A backend with a service key, for its user. */
  | 'AGENT'
  /** A backend whose service key is that of a `service`, for its user. */
  | 'SERVICE'

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

/** What a user thinks of a message. */
export type FeedbackRating =
  /** It is good. */
  | 'UP'
  /** It is bad. */
  | 'DOWN'

/** What to do if a conversation with this id exists. */
export type IfExists =
  /** Refuse with CONFLICT, reason EXISTS. */
  | 'FAIL'
  /** Answer the conversation as it is, with `created: false`. */
  | 'RETURN'

/** What to do if there is no conversation with this id. */
export type IfMissing =
  /** Refuse with NOT_FOUND. */
  | 'FAIL'
  /** Create the conversation with this append, in one transaction. */
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
  /** Results without their call were left out, and calls with a result that such a call cannot have. */
  | 'ORPHANED_RESULT'
  /**
   * Calls without a result got a result that says that the call was interrupted. They were left out where the format
   * has no such result, and where `pendingCalls` is OMIT.
   */
  | 'INTERRUPTED_CALL'
  /** Messages that are still being written were left out. */
  | 'STREAMING'
  /** Messages that say nothing in this format were left out. */
  | 'EMPTY'
  /** Parts that this format cannot express, and files that its provider does not take, were left out. */
  | 'UNSUPPORTED_PART'
  /** Names of tools that the provider refuses were changed, as `toolNames` says. */
  | 'TOOL_NAME'
  /** Marks for a provider's cache were left out. They belong to an earlier request, and not to a message. */
  | 'CACHE_MARK'
  /** Items that were stored more than once, by the id of their provider, are there once. */
  | 'REPEATED_ITEM'
  /** The oldest pictures were left out: the window had more of them than `maxImages`. */
  | 'IMAGE_LIMIT'
  /**
   * Reasoning of this format's provider was left out, and with it the ids of the items behind it: its message failed or
   * was cancelled, nothing followed it, or it cannot be verified. No reason is given for reasoning of other formats,
   * nor in OPENAI_CHAT, where `reasoningContent` chooses.
   */
  | 'REASONING'

/** What to do if a client id is known with another payload. */
export type OnExisting =
  /** Refuse the whole call with CONFLICT, reason CLIENT_ID. */
  | 'FAIL'
  /**
   * Edit the stored message in its place. Use this to save a whole transcript again. A deleted message stays deleted.
   */
  | 'REPLACE'

/** What a user may do in a conversation. */
export type ParticipantRole =
  /** Everything. Each conversation has one owner. */
  | 'OWNER'
  /** Reads, appends, and changes what it wrote itself. */
  | 'MEMBER'
  /** Reads. */
  | 'OBSERVER'

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
 * What becomes of calls that wait. A call waits if it is in the last step of the assistant, has no result, and nothing
 * follows this step but its results and approvals, and no `userMessage`.
 */
export type PendingCallRule =
  /** They get a result that says that they were interrupted. Every provider accepts this. */
  | 'INTERRUPT'
  /** They are left out, with the reasoning that led to nothing else. */
  | 'OMIT'
  /**
   * They stay without a result, in formats that can say that a call waits: AI_SDK, AI_SDK_MODEL, and requests for
   * approval in OPENAI_RESPONSES. Other calls are treated as with INTERRUPT.
   */
  | 'KEEP'

/** What messages of OPENAI_CHAT have of the model's reasoning. */
export type ReasoningContent =
  /** Nothing: OpenAI's API has no field for it. */
  | 'NONE'
  /**
   * The reasoning of messages that call tools, as DeepSeek and Kimi want it back. A message with calls and without
   * reasoning has a space, because they refuse a message that has nothing.
   */
  | 'TOOL_CALLS'
  /** The reasoning of all messages, and a space as TOOL_CALLS has it. */
  | 'ALL'

/**
 * How text is cut into tokens. Models of other providers cut it in their own ways: for them every count is an estimate.
 */
export type TokenEncoding =
  /** The encoding of OpenAI's models since GPT-4o. */
  | 'O200K_BASE'
  /** The encoding of OpenAI's GPT-4 and GPT-3.5. */
  | 'CL100K_BASE'

/** What `addParticipant` takes. */
export interface AddParticipantInput {
  /** The conversation. */
  readonly conversationId: string
  /** The user, by the name that its identity has: 1 to 255 characters. */
  readonly userId: string
  /** MEMBER or OBSERVER. A participant who has another role gets this one. */
  readonly role?: ParticipantRole
  /**
   * The `seq` of the first message that the user shall read: from 1 to `lastSeq` + 1, which is the next message. Of
   * messages before it the user reads nothing. Absent or null: whoever joins reads all, and a participant reads on from
   * where it did. Of a participant, a number replaces the one before.
   */
  readonly historyFrom?: number | null
}

/** What `addReaction` takes. */
export interface AddReactionInput {
  /** The message. */
  readonly messageId: string
  /**
   * One emoji, of any skin tone, and of flags any; in the form that Unicode recommends (RGI): for example a red heart
   * with U+FE0F.
   */
  readonly emoji: string
}

/** What `answerCall` takes. */
export interface AnswerCallInput {
  /** The message with the call. */
  readonly messageId: string
  /** The `callId` of the call. */
  readonly callId: string
  /** Whether the call may run; false refuses it. */
  readonly approved: boolean
  /** Why; a model reads the reason of a refusal. At most 200 bytes. */
  readonly reason?: string | null
}

/** What `appendMessage` takes. */
export interface AppendMessageInput {
  /** The conversation. */
  readonly conversationId: string
  /** What to do if there is no conversation with this id. */
  readonly ifMissing?: IfMissing
  /**
   * Append only if this is the conversation's last seq. So, of two turns at the same time, only one can win. A missing
   * conversation has 0.
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
  /** The number of this chunk: 0, 1, 2 … A chunk that is stored already is acknowledged and not added again. */
  readonly chunk: number
  /** The text. Empty text without `data` is only a sign of life, and takes no number. */
  readonly text: string
  /** What is not text, for example reasoning or deltas of tool input. It is kept until the message is complete. */
  readonly data?: unknown
  /**
   * true: the answer comes after the chunk is stored. false: the answer may come earlier. Then keep the chunks from
   * `storedChunks` on, and send them again if a later call is CONFLICT, reason CHUNK.
   */
  readonly durable?: boolean
}

/** What `appendMessages` takes. */
export interface AppendMessagesInput {
  /** The conversation. */
  readonly conversationId: string
  /** What to do if there is no conversation with this id. */
  readonly ifMissing?: IfMissing
  /**
   * Append only if this is the conversation's last seq. So, of two turns at the same time, only one can win. A missing
   * conversation has 0.
   */
  readonly ifLastSeq?: number | null
  /** What to do if a client id is known with another payload. */
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
  /** The whole text of the message. Absent: the text of the chunks. */
  readonly content?: string | null
  /** Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts. */
  readonly parts?: readonly unknown[] | null
  /** The dialect of `parts`. */
  readonly partsFormat?: PartsFormat | null
  /** The tool calls that an assistant asks for, at most `MAX_TOOL_CALLS`. */
  readonly toolCalls?: readonly ToolCallInput[] | null
  /** The model that wrote the message. Absent: the model given at the start. */
  readonly model?: string | null
  /** The provider's reason why the message ended. */
  readonly finishReason?: string | null
  /** The provider's token counts. */
  readonly usage?: Readonly<Record<string, unknown>> | null
  /** These keys are merged into the metadata at its top level. After that it may have at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** The message. */
  readonly messageId: string
  /** The attempt that wrote the message. */
  readonly attempt: number
  /** How many chunks the message had. If another number is stored, the error is CONFLICT, reason CHUNK. */
  readonly chunks: number
  /** COMPLETE, FAILED or CANCELLED. */
  readonly status?: MessageStatus
  /** Why the message failed, or what of it was not stored. */
  readonly error?: MessageErrorInput | null
}

/**
 * Which conversations a list shows: those that fulfil all conditions given here. null is the same as absent. If few
 * conversations fulfil `metadata`, the server looks at all of the viewer's conversations.
 */
export interface ConversationFilter {
  /**
   * The metadata of the conversation contains this object: every key of it, with an equal value, or with an object or a
   * list that contains the one given here. At most 16 KiB as JSON.
   */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** true: only archived conversations; false: only conversations that are not archived. */
  readonly archived?: boolean | null
  /**
   * The `updatedAt` of the conversation is after this time. So this does not find a conversation that an import brought
   * with older times; `conversationsChanged` tells it.
   */
  readonly updatedAfter?: string | null
  /**
   * The title contains this text; case and accents do not matter. At most 1000 characters. If few titles contain it,
   * the server looks at all of the viewer's conversations.
   */
  readonly title?: string | null
}

/** What `createConversation` takes. */
export interface CreateConversationInput {
  /**
   * Your own id for the conversation, 1 to 128 characters. It must not begin with msg_, usr_, cnv_ or client:. Absent:
   * a UUIDv7.
   */
  readonly id?: string | null
  /** A title to show, at most 1000 characters. */
  readonly title?: string | null
  /** Your own data about the conversation, at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /**
   * When the conversation was created elsewhere. Only an import gives it, with a service key, or on a server without
   * identity; it lies between 1970 and now. Absent: now. It is also the first `updatedAt`, which gives the place in the
   * list. A conversation that exists keeps its own.
   */
  readonly createdAt?: string | null
  /** Whether `searchMessages` and `recall` find its messages; true unless given. */
  readonly searchable?: boolean | null
  /** What to do if a conversation with this id exists. */
  readonly ifExists?: IfExists
}

/** What `deleteConversation` takes. */
export interface DeleteConversationInput {
  /** The conversation. */
  readonly id: string
}

/** What `deleteMessage` takes. */
export interface DeleteMessageInput {
  /** The message. Give either this, or `conversationId` and `clientId`. */
  readonly messageId?: string | null
  /** The conversation of the message. Give it together with `clientId`. */
  readonly conversationId?: string | null
  /** The caller's own id for the message. Give it together with `conversationId`. */
  readonly clientId?: string | null
}

/** What `editMessage` takes. A field that is absent stays as it is; null clears it. */
export interface EditMessageInput {
  /** The message. Give either this, or `conversationId` and `clientId`. */
  readonly messageId?: string | null
  /** The conversation of the message. Give it together with `clientId`. */
  readonly conversationId?: string | null
  /** The caller's own id for the message. Give it together with `conversationId`. */
  readonly clientId?: string | null
  /**
   * The new text. If it is absent, and `parts` are given in a known format, the text is that of the text parts, joined.
   * If the stored parts hold text, give new `parts` as well.
   */
  readonly content?: string | null
  /** The new parts, at most `MAX_PARTS`. */
  readonly parts?: readonly unknown[] | null
  /** The dialect of `parts`. */
  readonly partsFormat?: PartsFormat | null
  /** The new tool calls, at most `MAX_TOOL_CALLS`. */
  readonly toolCalls?: readonly ToolCallInput[] | null
  /** These keys are merged into the metadata at its top level. After that it may have at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** Edit only if the message has this `revision`. Otherwise the error is CONFLICT, reason REVISION. */
  readonly ifRevision?: string | null
}

/** What `forkConversation` takes. */
export interface ForkConversationInput {
  /** The conversation to copy. */
  readonly id: string
  /** Your own id for the copy, as in `createConversation`. Absent: a UUIDv7. */
  readonly newId?: string | null
  /**
   * The last seq to copy. The active path of the copy ends with it. 0 copies no message. Absent: the copy has all
   * messages and the same active leaf.
   */
  readonly upToSeq?: number | null
}

/** What `handBack` takes. */
export interface HandBackInput {
  /** The conversation. */
  readonly conversationId: string
}

/** What `joinWaiting` takes. */
export interface JoinWaitingInput {
  /** The `conversationId` of a conversation that waits. */
  readonly conversationId: string
}

/** What `leaveConversation` takes. */
export interface LeaveConversationInput {
  /** The conversation. */
  readonly conversationId: string
}

/** What `markRead` takes. */
export interface MarkReadInput {
  /** The conversation. */
  readonly conversationId: string
  /** The last seq that the viewer has read; at most the last one there is counts. */
  readonly seq: number
}

/** Why a message failed. */
export interface MessageErrorInput {
  /** A short word for programs, at most 255 characters. */
  readonly code: string
  /** A sentence for people. */
  readonly message: string
}

/**
 * A message to append. It needs content, parts or tool calls. null is the same as absent. It has at most
 * `MAX_MESSAGE_BYTES` in all.
 */
export interface MessageInput {
  /** Who speaks. */
  readonly role: MessageRole
  /** The name of the speaker, at most 255 characters. */
  readonly name?: string | null
  /**
   * The text of the message. If it is absent, and `parts` are given in a known format, the text is that of the text
   * parts, joined.
   */
  readonly content?: string | null
  /**
   * The caller's own id for the message, at most 255 characters. If an append is tried again with the same id, the
   * message is stored once.
   */
  readonly clientId?: string | null
  /**
   * When the message was created elsewhere. Only an import gives it, with a service key, or on a server without
   * identity; it lies between 1970 and now. Absent: now. The conversation comes to the place in the list of the latest
   * such time. It does not change the order of messages. An append that replaces a message leaves the time as it is.
   */
  readonly createdAt?: string | null
  /** Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts. */
  readonly parts?: readonly unknown[] | null
  /** The dialect of `parts`. */
  readonly partsFormat?: PartsFormat | null
  /** The tool calls that an assistant asks for, at most `MAX_TOOL_CALLS`. */
  readonly toolCalls?: readonly ToolCallInput[] | null
  /** For a TOOL message: the name of the tool. */
  readonly toolName?: string | null
  /** For a TOOL message, which must have it: the call that the message answers. */
  readonly toolCallId?: string | null
  /** For a TOOL message: whether the tool failed. */
  readonly toolError?: boolean | null
  /** The model that wrote the message. */
  readonly model?: string | null
  /** The provider's reason why the message ended. */
  readonly finishReason?: string | null
  /** The provider's token counts. */
  readonly usage?: Readonly<Record<string, unknown>> | null
  /** The caller's own data about the message, at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** The caller's own time for the message. It does not change the order. */
  readonly sentAt?: string | null
  /**
   * The `id` of the message that this message continues, or the conversation's `id` if this message shall continue no
   * other. Give it in order to branch. For a new version of a message, give that message's `parentId`. For another
   * answer, give the message to answer. Without a parent this message continues the one before it in this call, and the
   * first one continues the active leaf.
   */
  readonly parentId?: string | null
  /**
   * Instead of `parentId`: the `clientId` of the message that this message continues. It is a message of the same
   * conversation, or an earlier one of this call.
   */
  readonly parentClientId?: string | null
  /**
   * The `id` of the message of the same conversation to which this message replies. It changes no branch, and no model
   * is told of it.
   */
  readonly replyTo?: string | null
  /** The users whom this message mentions, at most 50, each by the `userId` of a participant. */
  readonly mentions?: readonly string[] | null
}

/** What a window brings back from before its first message. */
export interface RecallInput {
  /** What to look for, as in `searchMessages`: any word is enough. At most 1000 characters. */
  readonly query: string
  /**
   * How many tokens the recalled turns and their marks may have: from 1 to less than `maxTokens` without `reserve`.
   * They are kept from the newer turns, unless the newest one needs them.
   */
  readonly maxTokens: number
}

/** What `removeParticipant` takes. */
export interface RemoveParticipantInput {
  /** The conversation. */
  readonly conversationId: string
  /** The user. */
  readonly userId: string
}

/** What `removeReaction` takes. */
export interface RemoveReactionInput {
  /** The message. */
  readonly messageId: string
  /** The emoji. */
  readonly emoji: string
}

/** What `resumeMessage` takes. */
export interface ResumeMessageInput {
  /** The message. */
  readonly messageId: string
  /**
   * How many chunks it has to have. If it has another number, it is CONFLICT, reason CHUNK, and its producer goes on:
   * with 0 nobody is disturbed who has written.
   */
  readonly chunks?: number | null
}

/** What `setActiveLeaf` takes. */
export interface SetActiveLeafInput {
  /** The message with which the active path must end. */
  readonly messageId: string
  /**
   * true: the conversation keeps its `updatedAt`, and so its place in the list. An import chooses the leaf in this way.
   */
  readonly keepPlace?: boolean
}

/** What `setFeedback` takes. It replaces all that the viewer said of the message before. */
export interface SetFeedbackInput {
  /** The message. An assistant wrote it. */
  readonly messageId: string
  /** null takes the feedback back. */
  readonly rating?: FeedbackRating | null
  /** Why, in a word for programs; at most 200 bytes. */
  readonly reason?: string | null
  /** Why, in words for people; at most 4096 bytes. */
  readonly comment?: string | null
}

/** What `setTyping` takes. */
export interface SetTypingInput {
  /** The conversation. */
  readonly conversationId: string
  /** Whether the viewer types. */
  readonly isTyping: boolean
}

/** What `startMessage` takes. */
export interface StartMessageInput {
  /** The conversation. */
  readonly conversationId: string
  /** What to do if there is no conversation with this id. */
  readonly ifMissing?: IfMissing
  /**
   * Append only if this is the conversation's last seq. So, of two turns at the same time, only one can win. A missing
   * conversation has 0.
   */
  readonly ifLastSeq?: number | null
  /**
   * Messages to store before this one in the same transaction, at most 99: the user's message, or the results of tools.
   */
  readonly messages?: readonly MessageInput[] | null
  /** Who speaks. */
  readonly role?: MessageRole
  /** The name of the speaker, at most 255 characters. */
  readonly name?: string | null
  /** The model that writes the message. */
  readonly model?: string | null
  /** The caller's own id for the message. It makes this call safe to retry. */
  readonly clientId?: string | null
  /** The caller's own data about the message, at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /**
   * The message that this message continues, as in `MessageInput.parentId`. Without a parent it continues the last of
   * `messages`; without `messages`, the active leaf.
   */
  readonly parentId?: string | null
  /** Instead of `parentId`: the `clientId` of that message, which may be one of `messages`. */
  readonly parentClientId?: string | null
  /** The message to which this one replies, as in `MessageInput.replyTo`. */
  readonly replyTo?: string | null
  /** The users whom this message mentions, as in `MessageInput.mentions`. */
  readonly mentions?: readonly string[] | null
  /**
   * How many seconds the producer may give no sign of life, from 1 to 3600. After that the message is FAILED, with the
   * error PRODUCER_GONE.
   */
  readonly timeoutSeconds?: number
}

/** What `stopMessage` takes. */
export interface StopMessageInput {
  /** The message. */
  readonly messageId: string
}

/** What `stopWaiting` takes. */
export interface StopWaitingInput {
  /** The conversation. */
  readonly conversationId: string
}

/** What `takeOver` takes. */
export interface TakeOverInput {
  /** The conversation. */
  readonly conversationId: string
}

/** A tool call that an assistant asks for. */
export interface ToolCallInput {
  /** The provider's id of the call, at most 255 characters. */
  readonly callId: string
  /** The name of the tool, at most 255 characters. */
  readonly name: string
  /** The arguments exactly as the model wrote them. They are kept byte for byte. */
  readonly arguments: string
  /** The kind of call; `function` unless given. */
  readonly type?: string | null
  /** All other fields of the provider's call. */
  readonly extra?: Readonly<Record<string, unknown>> | null
}

/** What `updateConversation` takes. A field that is absent stays as it is; null clears it. */
export interface UpdateConversationInput {
  /** The conversation. */
  readonly id: string
  /** A new title, at most 1000 characters. */
  readonly title?: string | null
  /** These keys are merged into the metadata at its top level. After that it may have at most 16 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | null
  /** Whether the conversation is archived. */
  readonly archived?: boolean | null
  /**
   * Whether `searchMessages` and `recall` find its messages; null is true. false counts at once; with true, messages
   * are found when they are indexed again.
   */
  readonly searchable?: boolean | null
}

/** What `waitForPerson` takes. */
export interface WaitForPersonInput {
  /** The conversation. */
  readonly conversationId: string
  /** Why, for the person who comes; at most 1000 bytes. */
  readonly reason?: string | null
}

/** The arguments of the field `context` of a conversation. */
export interface ContextArguments {
  /**
   * How many tokens the window may have, `reserve` included: from 1 to 10000000. The server counts them with
   * `encoding`.
   */
  readonly maxTokens: number
  /** Instructions that come before all others. They are not stored. */
  readonly system?: string | null
  /** The user's new message. It comes last, and it is not stored. Its role is USER. */
  readonly userMessage?: MessageInput | null
  /** The API or the SDK that the messages are for. */
  readonly format?: ContextFormat
  /** The tokenizer to count with. */
  readonly encoding?: TokenEncoding
  /** How many of `maxTokens` to leave free, for the answer and for the descriptions of tools. 0 unless given. */
  readonly reserve?: number | null
  /**
   * How many pictures the window may have; 0: none. Unless given, as many as the provider takes in one request: 1500
   * for OpenAI, 100 for the other formats. Of more pictures the newest are kept; each of the others becomes the text
   * `[picture left out]`. They are left out in blocks of a quarter of this number, so that windows of a growing
   * conversation mostly begin alike.
   */
  readonly maxImages?: number | null
  /**
   * How many marks for a cache of the provider to set: from 0 to 4. The provider takes 4 in one request, and marks of
   * your own tools count too. The first mark is at the end of the instructions, the second at the end of the window,
   * the others where earlier requests ended: 3 are enough for most agents. Marks that were stored are always left out.
   * OPENAI_RESPONSES has no marks, because OpenAI caches by itself.
   */
  readonly cacheMarks?: number
  /**
   * What messages of OPENAI_CHAT have of the model's reasoning, for providers that want it back. Each field comes back
   * under its name, such as `reasoning_content`, and its tokens count. Other formats have no such fields: they give
   * back their own reasoning in any case.
   */
  readonly reasoningContent?: ReasoningContent
  /** What becomes of calls that still wait for their results, in `messages`. `pendingCalls` names them always. */
  readonly pendingCalls?: PendingCallRule
  /**
   * Whether messages of the user say who wrote them, if several users wrote messages of the user in this conversation.
   * They say the `userId` of `Message.author`: in OPENAI_CHAT as the field `name`, in place of the stored name, and in
   * other formats as `userId: ` before the words. It counts with the tokens. `userMessage` is by the viewer.
   */
  readonly authors?: boolean
  /**
   * Brings back older turns of the path that fit a query: whole turns, before the others and oldest first, between two
   * messages of the user that say so. Turns that do not fit are left out. They are found as `searchMessages` finds
   * messages of this conversation.
   */
  readonly recall?: RecallInput | null
}

/** What `addParticipant` answers. */
export interface AddParticipantPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** What `addReaction` answers, after the change is durable. */
export interface AddReactionPayload<Selected = Message> {
  /** The message as it is now. */
  readonly message: Selected
}

/** What `answerCall` answers, after the change is durable. */
export interface AnswerCallPayload<Selected = Message> {
  /** The message as it is now. */
  readonly message: Selected
}

/** What `appendMessage` answers, after the message is durable. */
export interface AppendMessagePayload<Selected = Message> {
  /** The message as it is stored. */
  readonly message: Selected
  /** The message with its cursor. */
  readonly messageEdge: MessageEdge<Selected>
  /** The conversation of the message. */
  readonly conversation: Conversation
  /** The conversation and its place in the list, for a client that keeps the list and adds the edge to it. */
  readonly conversationEdge: ConversationEdge
  /** Whether an earlier call with the same client id stored the message. */
  readonly replayed: boolean
  /**
   * The older versions of the message, whose `siblings` have changed thereby: at most 100 around each. Select `id` and
   * `siblings` of them, and a cache that keeps messages by `id` is up to date. Empty if nothing branched.
   */
  readonly changedSiblings: readonly Selected[] | null
}

/** What `appendMessageText` answers. */
export interface AppendMessageTextPayload {
  /** The number of the next chunk. */
  readonly nextChunk: number
  /** How many chunks are durable. The producer keeps the others. */
  readonly storedChunks: number
  /** Whether somebody asked the producer to stop. If so, end the message with `completeMessage`. */
  readonly stopRequested: boolean
}

/** What `appendMessages` answers, after the messages are durable. */
export interface AppendMessagesPayload<Selected = Message> {
  /** The messages as they are stored, in the order of the input. */
  readonly messages: readonly Selected[]
  /** The messages with their cursors. */
  readonly messageEdges: readonly MessageEdge<Selected>[]
  /** The conversation of the messages. */
  readonly conversation: Conversation
  /** The conversation and its place in the list, for a client that keeps the list and adds the edge to it. */
  readonly conversationEdge: ConversationEdge
  /** For each message: whether an earlier call with the same client id stored it. */
  readonly replayed: readonly boolean[]
  /**
   * The older versions of the messages, whose `siblings` have changed thereby: at most 100 around each. Select `id` and
   * `siblings` of them, and a cache that keeps messages by `id` is up to date. Empty if nothing branched.
   */
  readonly changedSiblings: readonly Selected[] | null
}

/**
 * Everything that existed when the subscription began was sent. From here on the events are live. This event comes
 * once.
 */
export interface CaughtUp {
  readonly __typename: 'CaughtUp'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
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
  /** The conversation of the message. */
  readonly conversation: Conversation
  /** Whether the same call completed the message before. */
  readonly replayed: boolean
}

/**
 * What a model reads: ready to send, and valid for its provider. A call and its result are in the window together or
 * not at all, unless the call waits and `pendingCalls` is KEEP, or its provider goes on with it.
 */
export interface ContextWindow {
  /** The instructions, if the provider takes them apart from the messages; otherwise null. */
  readonly system: unknown
  /** A list of the messages in the provider's own form, oldest first. */
  readonly messages: unknown
  /**
   * The tokens of the window, without `reserve`. This is an estimate of what the provider counts, and a rough one for
   * models that are not from OpenAI. Each message counts 4 tokens more than its words, each call to a function 4 more,
   * and a picture or file 1000.
   */
  readonly tokenCount: number
  /** The names of tools that are changed in this window, each once. All other names are as they are stored. */
  readonly toolNames: readonly ToolNameChange[]
  /** How many stored messages are in the window. */
  readonly included: number
  /** The seqs of the stored messages that `recall` brought back, in order. */
  readonly recalled: readonly number[]
  /** What the window leaves out. */
  readonly omitted: OmittedMessages
  /**
   * The seq of the first stored message after the leading instructions, without recalled ones; null if there is none.
   */
  readonly firstSeq: number | null
  /** The seq of the last stored message; null if `firstSeq` is null. */
  readonly lastSeq: number | null
  /** The calls that wait for their results, in order. Calls that people did not allow are not among them. */
  readonly pendingCalls: readonly PendingCall[]
}

/** An ordered log of messages with one owner. */
export interface Conversation {
  /**
   * For its owner: the owner's own id for it, or the UUIDv7 that the server gave it. For whoever else takes part: an
   * opaque id. Both stand for it wherever an id is taken.
   */
  readonly id: string
  /** The user who owns this conversation. */
  readonly userId: string
  /** A title to show; at most 1000 characters. */
  readonly title: string | null
  /** The caller's own data about this conversation. The order of its keys is not kept. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The `seq` of the newest message; 0 while there is no message. */
  readonly lastSeq: number
  /** When this conversation was created; if an import brought a time, that time. */
  readonly createdAt: string
  /**
   * When this conversation last changed; if an import brought times, the latest of them. The list of conversations is
   * in this order. This time never runs backwards.
   */
  readonly updatedAt: string
  /** When this conversation was archived; null while it is not archived. */
  readonly archivedAt: string | null
  /**
   * Where the feed of the conversation stands, no later than any other field of this answer. An empty conversation has
   * a cursor too. Pass it as `after` of a subscription to go on from this answer. To go on from a list in a normalised
   * cache, pass the cursor of the last edge of the list instead: another query may have brought a newer `cursor` of the
   * conversation.
   */
  readonly cursor: string
  /**
   * The message with which the active path ends: the newest one, or the one that `setActiveLeaf` chose after that. null
   * if the conversation is empty, or if the viewer does not read that message.
   */
  readonly activeLeaf: Pick<Message, 'id' | 'seq'> | null
}

/** What happened after a cursor. */
export interface ConversationChanges<Selected = Message> {
  /**
   * The events as `conversationEvents` sends them, without those that have no place in the log: `CaughtUp`,
   * `ConversationDeleted`, `ReadMarkersChanged`, `TypingChanged` and `PresenceChanged`.
   */
  readonly events: readonly ConversationEvent<Selected>[]
  /** Pass it as `after` of the next call, even if there were no events. */
  readonly cursor: string
  /** Whether there are more events now. */
  readonly hasMore: boolean
}

/** A page of conversations, newest activity first. */
export interface ConversationConnection {
  /** The conversations with their cursors. */
  readonly edges: readonly ConversationEdge[]
  /** The conversations alone. */
  readonly nodes: readonly Conversation[]
  /** What lies before and after this page. */
  readonly pageInfo: PageInfo
  /**
   * Where the feed of the list stands, no later than this page. Pass the cursor of the first page that you read as
   * `after` of `conversationsChanged`: then you miss no change. Keep it apart from a normalised cache, which replaces
   * it with that of a later page.
   */
  readonly cursor: string
}

/**
 * The conversation was deleted, or the viewer does not take part in it any more. Nothing comes after this. A cache
 * removes it by `conversationId`.
 */
export interface ConversationDeleted {
  readonly __typename: 'ConversationDeleted'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
}

/** A conversation and its place in the list. */
export interface ConversationEdge {
  /** The place of the conversation in the list, at the time of the read. */
  readonly cursor: string
  /** The conversation. */
  readonly node: Conversation
}

/**
 * Everything that existed when the subscription began was sent. From here on the events are live. This event comes
 * once.
 */
export interface ConversationListCaughtUp {
  readonly __typename: 'ConversationListCaughtUp'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
}

/**
 * A conversation was created or changed; a new message is a change too. It also tells that the viewer has read on by
 * `markRead`, here or elsewhere: then `unreadCount` is another one, and nothing else. Remove the conversation from its
 * old place, and put it at its place by `updatedAt`.
 */
export interface ConversationListed {
  readonly __typename: 'ConversationListed'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation as it is now. */
  readonly conversation: Conversation
  /** The conversation and its place in the list, for a client that keeps the list and adds the edge to it. */
  readonly conversationEdge: ConversationEdge
}

/** A conversation as an operator sees it: everything but what was said in it. */
export interface ConversationRecord {
  /** The opaque id of the conversation, which stands for it wherever an id is taken. */
  readonly conversationId: string
  /** Who owns it. */
  readonly ownerId: string
  /** The owner's own id for it. */
  readonly ownId: string
  /** The `seq` of its newest message; 0: it has none. */
  readonly lastSeq: number
  /** How often it changed: every append, edit, deletion and status counts. */
  readonly revision: string
  /** When it was created. */
  readonly createdAt: string
  /** When it last changed. */
  readonly updatedAt: string
  /** When it was archived; null: it is not. */
  readonly archivedAt: string | null
  /** When it was deleted; null: it is not. Its messages are removed a little later. */
  readonly deletedAt: string | null
  /** How many feeds of it are open on this server. */
  readonly watchers: number
  /** The users for whom they are, by id; at most 50. The viewer of a backend is the user for whom it acts. */
  readonly watchedBy: readonly string[]
}

/** A page of a user's conversations, newest activity first. */
export interface ConversationRecordConnection {
  /** The conversations. */
  readonly nodes: readonly ConversationRecord[]
  /** What lies before and after this page. */
  readonly pageInfo: PageInfo
}

/**
 * A conversation was deleted, or the viewer does not take part in it any more. It may be one that the client never saw.
 */
export interface ConversationUnlisted {
  readonly __typename: 'ConversationUnlisted'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. A cache removes the conversation by it. */
  readonly conversationId: string
}

/** The conversation's title, metadata or archivedAt changed, or `setActiveLeaf` chose another leaf. */
export interface ConversationUpdated {
  readonly __typename: 'ConversationUpdated'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
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
  /** The conversation and its place in the list, for a client that keeps the list and adds the edge to it. */
  readonly conversationEdge: ConversationEdge
  /** Whether this call created it. */
  readonly created: boolean
}

/** What `deleteConversation` answers. */
export interface DeleteConversationPayload {
  /** The `id` that the conversation had. A cache removes the conversation by it. */
  readonly deletedConversationId: string
}

/** What `deleteMessage` answers, after the change is durable. */
export interface DeleteMessagePayload<Selected = Message> {
  /** The tombstone: the message with its place and its times, without its content. */
  readonly message: Selected
  /** The conversation of the message. */
  readonly conversation: Conversation
}

/** What `editMessage` answers, after the change is durable. */
export interface EditMessagePayload<Selected = Message> {
  /** The message as it is now. */
  readonly message: Selected
  /** The conversation of the message. */
  readonly conversation: Conversation
}

/** A page of feedback, the newest first. */
export interface FeedbackConnection<Selected = Message> {
  /** The feedback alone. */
  readonly nodes: readonly MessageFeedback<Selected>[]
  /** What lies before and after this page. */
  readonly pageInfo: PageInfo
  /** The feedback with its cursors. */
  readonly edges: readonly FeedbackEdge<Selected>[]
}

/** Feedback and its cursor. */
export interface FeedbackEdge<Selected = Message> {
  /** The place of the feedback. */
  readonly cursor: string
  /** The feedback. */
  readonly node: MessageFeedback<Selected>
}

/** What `forkConversation` answers, after the copy is durable. */
export interface ForkConversationPayload {
  /** The copy. */
  readonly conversation: Conversation
  /** The conversation and its place in the list, for a client that keeps the list and adds the edge to it. */
  readonly conversationEdge: ConversationEdge
}

/** What `handBack` answers, after the change is durable. */
export interface HandBackPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** What `joinWaiting` answers, after the change is durable. */
export interface JoinWaitingPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** What `leaveConversation` answers. */
export interface LeaveConversationPayload {
  /** The `id` that the conversation had. A cache removes the conversation by it. */
  readonly leftConversationId: string
}

/** A message as an operator sees it: everything but what it says. */
export interface LogEntry {
  /** The message's `id`. */
  readonly messageId: string
  /** Its position in the conversation. */
  readonly seq: number
  /** The conversation's revision at its last change; null: it is as it was appended. */
  readonly revision: string | null
  /** Who speaks. */
  readonly role: MessageRole
  /** Whether it is still being written, and how its writing ended. */
  readonly status: MessageStatus
  /** Who wrote it. */
  readonly author: MessageAuthor
  /** The UTF-8 bytes of all that was written, without the text of a message that still streams. */
  readonly bytes: number
  /** When it was stored. */
  readonly createdAt: string
  /** When it last changed. */
  readonly updatedAt: string
  /** When it was last edited; null: it never was. */
  readonly editedAt: string | null
  /** When it was deleted; null: it is not. */
  readonly deletedAt: string | null
}

/** What `markRead` answers. */
export interface MarkReadPayload {
  /** The conversation, with its `readSeq` and `unreadCount` as they are now. */
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
  /** Why this message failed, or what its producer could not store of it. */
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
  /** The `id` of the message's conversation. */
  readonly conversationId: string
  /** Who really wrote it. `role` and `name` are what the caller says; this is what the server knows. */
  readonly author: MessageAuthor
  /** Changes with every change of this message; "0" before the first change. */
  readonly revision: string
  /**
   * The `id` of the message that this message continues: the one before it, unless it was appended with another parent.
   * The conversation's `id`: it continues no message. So an append with this `parentId` is always a new version of this
   * message, unless that message lies before `Conversation.historyFrom`: then the viewer finds nothing with this id,
   * and cannot append with it. It never changes.
   */
  readonly parentId: string
}

/** A message was appended. */
export interface MessageAppended<Selected = Message> {
  readonly __typename: 'MessageAppended'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The message as it is now. If it is deleted already, it is a tombstone. */
  readonly edge: MessageEdge<Selected>
}

/** Who wrote a message, as the server knows it from its credentials. */
export interface MessageAuthor {
  /** The user, or the user for whom it was written. */
  readonly userId: string
  /** What wrote it. */
  readonly kind: AuthorKind
  /**
   * The name of the backend; of a user, the name that its token said when it wrote this, by the claim `name`, or else
   * `preferred_username`. `kind` says which. null: the user's token said none.
   */
  readonly name: string | null
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
  /** What lies before and after this page. */
  readonly pageInfo: PageInfo
}

/** A message was deleted. */
export interface MessageDeleted<Selected = Message> {
  readonly __typename: 'MessageDeleted'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The tombstone. Never null: it is nullable only because `MessageTextAppended.message` is. */
  readonly message: Selected
}

/** A message and its cursor. */
export interface MessageEdge<Selected = Message> {
  /** The place of the message: for paging, and to go on from here with a subscription. */
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

/** What a user says of a message that an assistant wrote. */
export interface MessageFeedback<Selected = Message> {
  /** Who gave it. */
  readonly userId: string
  /** What the user thinks. */
  readonly rating: FeedbackRating
  /** Why, in a word for programs. */
  readonly reason: string | null
  /** Why, in words for people. */
  readonly comment: string | null
  /** When the user last gave it. */
  readonly givenAt: string
  /** The message's `id`. */
  readonly messageId: string
  /** The `id` of the message's conversation. */
  readonly conversationId: string
  /**
   * The message; null if the viewer takes no part in its conversation. An operator reads it by acting for `ownerId`.
   */
  readonly message: Selected | null
  /** Who owns the conversation. */
  readonly ownerId: string
}

/** A user whom a message mentions. */
export interface MessageMention {
  /** The user. */
  readonly userId: string
}

/** The users who put one emoji on a message. */
export interface MessageReactions {
  /** The emoji. */
  readonly emoji: string
  /** How many users. */
  readonly count: number
  /** Whether the viewer is one of them. */
  readonly viewerReacted: boolean
}

/** Who has read a message. */
export interface MessageReaders {
  /** How many of those who take part, beside the author. */
  readonly count: number
  /** The users, by id; at most 50 of them. */
  readonly userIds: readonly string[]
}

/** What a search found, best first. */
export interface MessageSearchConnection<Selected = Message> {
  /** The messages, and why each was found. */
  readonly edges: readonly MessageSearchEdge<Selected>[]
  /** The messages alone. */
  readonly nodes: readonly Selected[]
  /** Whether more was found. */
  readonly pageInfo: PageInfo
}

/** A message that was found. */
export interface MessageSearchEdge<Selected = Message> {
  /** The place of the message in what was found, for the next page. */
  readonly cursor: string
  /** The message. */
  readonly node: Selected
  /**
   * How well the message fits: higher is better. Scores are for comparing what one search found, and for nothing else.
   */
  readonly score: number
  /** The piece of the message that shows why it was found. */
  readonly snippet: SearchSnippet
  /** The message that this one continues; null if it is the first, or the first that the viewer reads. */
  readonly before: Selected | null
  /** The newest message that continues this one; null if there is none. */
  readonly after: Selected | null
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
 * A chunk of text was added to a streaming message. Chunks come in order, and the first one is the `nextChunk` that the
 * message had when it was last sent.
 */
export interface MessageTextAppended {
  readonly __typename: 'MessageTextAppended'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The message's `id`. */
  readonly messageId: string
  /** The message's seq. */
  readonly seq: number
  /** The number of the chunk. */
  readonly chunk: number
  /** The text to add at the end of the content. */
  readonly text: string
  /** The data of the chunk that is not text, as the producer gave it. */
  readonly data: unknown
}

/** A message was changed. */
export interface MessageUpdated<Selected = Message> {
  readonly __typename: 'MessageUpdated'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The message as it is now. Never null: it is nullable only because `MessageTextAppended.message` is. */
  readonly message: Selected
}

/** What a window leaves out of the path that it follows. */
export interface OmittedMessages {
  /** Why messages are left out, and how messages in the window differ from the stored ones. Each reason comes once. */
  readonly reasons: readonly OmissionReason[]
}

/** A message that is still being written. */
export interface OpenStream {
  /** The message's `id`. */
  readonly messageId: string
  /** The conversation that holds it. */
  readonly conversation: ConversationRecord
  /** Its position in the conversation. */
  readonly seq: number
  /** Which producer writes it: each one that takes over raises this number. */
  readonly attempt: number
  /** How many chunks it has. */
  readonly chunks: number
  /** The UTF-8 bytes of its chunks. */
  readonly bytes: number
  /** When it began. */
  readonly startedAt: string
  /** When its producer last gave a sign of life. */
  readonly lastSignAt: string
  /** When the message fails unless its producer gives another one. */
  readonly expiresAt: string
  /** Whether that time has passed. A server fails such a message within `POLL_MS`; one that stays hangs. */
  readonly isOverdue: boolean
}

/** What whoever runs the server may see: the server that answers, and the conversations of all users. */
export interface Operator {
  /** The server that answers: its host, and the number of its process. */
  readonly server: string
  /** The version of its program. */
  readonly version: string
  /** When it started. */
  readonly startedAt: string
  /** All settings of this server. Secrets are named, and never told. */
  readonly settings: readonly Setting[]
  /** What this server counts. For all of it, and for several servers, let Prometheus read them. */
  readonly figures: readonly ServerFigure[] | null
}

/** What lies before and after a page. It is exact in both directions. */
export interface PageInfo {
  /** Whether there is anything after the last edge. */
  readonly hasNextPage: boolean
  /** Whether there is anything before the first edge. */
  readonly hasPreviousPage: boolean
  /** The first edge's cursor; null if the page is empty. */
  readonly startCursor: string | null
  /** The last edge's cursor; null if the page is empty. */
  readonly endCursor: string | null
}

/** A user who takes part in a conversation. */
export interface Participant {
  /** The user. */
  readonly userId: string
  /** What the user may do. */
  readonly role: ParticipantRole
  /** Since when the user takes part; of the owner: when the conversation was created. */
  readonly joinedAt: string
  /** The `seq` of the first message that the user reads; null: the user reads all messages. */
  readonly historyFrom: number | null
  /**
   * How the user is called, as its last token said by the claim `name`, or else `preferred_username`. null: none said
   * it.
   */
  readonly name: string | null
  /** The user's picture in the same way, by the claim `picture`: an https: URL, or a data: URL. */
  readonly picture: string | null
}

/** A page of participants, by user id. */
export interface ParticipantConnection {
  /** The participants with their cursors. */
  readonly edges: readonly ParticipantEdge[]
  /** The participants alone. */
  readonly nodes: readonly Participant[]
  /** What lies before and after this page. */
  readonly pageInfo: PageInfo
}

/** A participant and its cursor. */
export interface ParticipantEdge {
  /** The place of the participant. */
  readonly cursor: string
  /** The participant. */
  readonly node: Participant
}

/**
 * Somebody joined the conversation, left it, was removed from it, got another role, or reads from another message on.
 */
export interface ParticipantsChanged {
  readonly __typename: 'ParticipantsChanged'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The conversation as it is now; its `participants` are those of now, too. */
  readonly conversation: Conversation
}

/**
 * A call of the last step that has no result yet, so that somebody has to run it, or to allow it, before the model can
 * go on.
 */
export interface PendingCall {
  /** The id of the call, as it is stored. The message with the result has it as its `toolCallId`. */
  readonly callId: string
  /** The name of the tool. Of a call that is no function and names none, the kind of the call. */
  readonly name: string
  /** `function` or `custom`, or the type of a call that is no function, such as `computer_call`. */
  readonly type: string
  /**
   * What the model passes to the tool: the text that it wrote. Of a call that is no function, the JSON text of its
   * part.
   */
  readonly arguments: string
  /** Whether people have allowed the call. false while they are still asked; null if nobody was asked. */
  readonly approved: boolean | null
  /** The id that the answer of people has to name; null if nobody was asked. */
  readonly approvalId: string | null
  /** The message that holds the call. */
  readonly messageId: string
}

/**
 * Somebody has opened a feed of the conversation, or closed the last one. It is sent after `CaughtUp` too, and only if
 * several people ever took part. Nothing of it is stored: `cursor` is that of the event before.
 */
export interface PresenceChanged {
  readonly __typename: 'PresenceChanged'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** Who is here now, the viewer among them. */
  readonly present: PresentUsers
}

/** Who has a feed of a conversation open. */
export interface PresentUsers {
  /** How many of those who take part. */
  readonly count: number
  /** The users, by id. Empty if there are more than 50 of them. */
  readonly userIds: readonly string[]
}

/** How far a user has read a conversation. */
export interface ReadMarker {
  /** The user. */
  readonly userId: string
  /** The last seq that the user has read, or wrote itself, whichever is later. 0: none. */
  readonly readSeq: number
}

/**
 * A marker of what was read has moved. It is sent at most once a second, and after `CaughtUp` and `ParticipantsChanged`
 * if others take part. A message of a user moves that user's marker as well, and is told by `MessageAppended` alone.
 * Markers are no part of the log: `cursor` is that of the event before.
 */
export interface ReadMarkersChanged {
  readonly __typename: 'ReadMarkersChanged'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** How far each of those who take part has read, by user id. Empty if there are more than 50 of them. */
  readonly readMarkers: readonly ReadMarker[]
  /** How many take part. */
  readonly participantCount: number
}

/** What `removeParticipant` answers. */
export interface RemoveParticipantPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** What `removeReaction` answers, after the change is durable. */
export interface RemoveReactionPayload<Selected = Message> {
  /** The message as it is now. */
  readonly message: Selected
}

/** What `resumeMessage` answers. */
export interface ResumeMessagePayload<Selected = Message> {
  /** The message with the text that is stored. Go on with the chunk `nextChunk`. */
  readonly message: Selected
  /** The attempt to write with. Calls of an older attempt are CONFLICT, reason ATTEMPT. */
  readonly attempt: number
}

/** The piece of a message that shows why it was found. */
export interface SearchSnippet {
  /**
   * At most 240 UTF-16 units of the message's text, as it is now. It begins with the name of the speaker if the message
   * has one.
   */
  readonly text: string
  /** The words in `text` that were searched for. None: the message was found because its neighbours have the words. */
  readonly ranges: readonly TextRange[]
}

/** A number that a server counts. */
export interface ServerFigure {
  /** Its name, as that of the metric for Prometheus. */
  readonly name: string
  /** What tells it from others of the same name. */
  readonly labels: Readonly<Record<string, unknown>>
  /** The number. What ends in `_total`, `_count`, `_sum` or `_bucket` only grows. */
  readonly value: number
}

/** What `setActiveLeaf` answers, after the change is durable. */
export interface SetActiveLeafPayload<Selected = Message> {
  /** The conversation as it is now. */
  readonly conversation: Conversation
  /** The message. The next append without a `parentId` continues it. */
  readonly message: Selected
}

/** What `setFeedback` answers, after the change is durable. */
export interface SetFeedbackPayload<Selected = Message> {
  /** The message, with its `feedback` as it is now. */
  readonly message: Selected
}

/** What `setTyping` answers. */
export interface SetTypingPayload {
  /** The conversation, in which nothing has changed. */
  readonly conversation: Conversation
}

/** A setting as the server has it. */
export interface Setting {
  /** The variable of the environment. */
  readonly name: string
  /**
   * What was given, or the default. null: there is neither, or it is a secret. A URL has neither its user nor its
   * query.
   */
  readonly value: string | null
  /** Whether the environment has it. */
  readonly isGiven: boolean
  /** Whether it is a secret: its value is never told. */
  readonly isSecret: boolean
  /** What it is for. */
  readonly meaning: string
}

/** What `startMessage` answers, after all messages are durable. */
export interface StartMessagePayload<Selected = Message> {
  /** The message that streams. */
  readonly message: Selected
  /** All messages of this call, in order. The last one is the message that streams. */
  readonly messageEdges: readonly MessageEdge<Selected>[]
  /** The conversation of the message. */
  readonly conversation: Conversation
  /** The conversation and its place in the list, for a client that keeps the list and adds the edge to it. */
  readonly conversationEdge: ConversationEdge
  /** The attempt to write with; 0 if the message is replayed and streams no more. */
  readonly attempt: number
  /** Whether an earlier call with the same client id started the message. */
  readonly replayed: boolean
  /**
   * The older versions of the messages of this call, whose `siblings` have changed thereby: at most 100 around each.
   * Select `id` and `siblings` of them, and a cache that keeps messages by `id` is up to date. Empty if nothing
   * branched.
   */
  readonly changedSiblings: readonly Selected[] | null
}

/** What `stopMessage` answers. */
export interface StopMessagePayload<Selected = Message> {
  /** The message. Its producer is told with its next chunk. */
  readonly message: Selected
}

/** What `stopWaiting` answers, after the change is durable. */
export interface StopWaitingPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** What `takeOver` answers, after the change is durable. */
export interface TakeOverPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** A piece of a text, in UTF-16 units, as JavaScript counts. */
export interface TextRange {
  /** Where it begins; 0 is the beginning of the text. */
  readonly start: number
  /** Where it ends: the place behind its last unit. */
  readonly end: number
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

/** What a person answered to a tool call. */
export interface ToolCallApproval {
  /** Whether the call may run; false: it was refused. */
  readonly approved: boolean
  /** Why. */
  readonly reason: string | null
  /** The user who answered. */
  readonly userId: string
  /** When the user answered. */
  readonly answeredAt: string
}

/** A tool whose name the provider refuses, and the name that the window has in its place. */
export interface ToolNameChange {
  /** The name as it is stored. */
  readonly name: string
  /**
   * The name in the window: of characters that the provider takes, and with a hash of the stored name at its end. It is
   * the same in every window of this format. Describe the tool to the model under this name, and call it when the model
   * calls this name.
   */
  readonly written: string
}

/** Somebody began to type, or ended. Nothing of it is stored: `cursor` is that of the event before. */
export interface TypingChanged {
  readonly __typename: 'TypingChanged'
  /** Where the feed stands after this event. Pass it as `after` to go on from here. */
  readonly cursor: string
  /** The conversation's `id`. */
  readonly conversationId: string
  /** The users who type, by id, the viewer among them; at most 50 of them. */
  readonly userIds: readonly string[]
}

/** What `updateConversation` answers. */
export interface UpdateConversationPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
  /** The conversation and its place in the list, for a client that keeps the list and adds the edge to it. */
  readonly conversationEdge: ConversationEdge
}

/** The user that this request acts as. */
export interface Viewer {
  /** Unique across all types of this API. Opaque, unless you chose it yourself. */
  readonly id: string
  /** The user's id, as the identity provider names it. */
  readonly userId: string
  /** Whether it may read `waitingConversations`, and take over conversations that wait for a person. */
  readonly isSupporter: boolean
  /**
   * How the user is called, as its token says by the claim `name`, or else `preferred_username`. If that says neither a
   * name nor a picture, or somebody else acts for the user: as its last token said. null: none did.
   */
  readonly name: string | null
  /** The user's picture in the same way, by the claim `picture`: an https: URL, or a data: URL. */
  readonly picture: string | null
  /** How many conversations have something that the viewer has not read, up to 100, among the 200 that changed last. */
  readonly unreadConversations: number | null
}

/** What `waitForPerson` answers, after the change is durable. */
export interface WaitForPersonPayload {
  /** The conversation as it is now. */
  readonly conversation: Conversation
}

/** That a conversation waits for a person. */
export interface Waiting {
  /** Since when. */
  readonly since: string
  /** Why, as `waitForPerson` said it last. */
  readonly reason: string | null
}

/** A conversation that waits for a person, as those see it who support. */
export interface WaitingConversation {
  /** Since when it waits. */
  readonly since: string
  /** Why, as `waitForPerson` said it last. */
  readonly reason: string | null
  /** The conversation's `id`, for `joinWaiting` and `takeOver`. */
  readonly conversationId: string
  /** Who owns it. */
  readonly ownerId: string
  /** How its owner is called, as `Participant.name` says it. */
  readonly ownerName: string | null
  /** Its title. */
  readonly title: string | null
}

/** A page of conversations that wait for a person. Whichever waits longest comes first. */
export interface WaitingConversationConnection {
  /** How many conversations wait, up to 1000, which means 1000 or more. */
  readonly count: number
  /** The conversations with their cursors. */
  readonly edges: readonly WaitingConversationEdge[]
  /** The conversations alone. */
  readonly nodes: readonly WaitingConversation[]
  /** What lies before and after this page. */
  readonly pageInfo: PageInfo
}

/** A conversation that waits, and its cursor. */
export interface WaitingConversationEdge {
  /** The place of the conversation among those that wait. */
  readonly cursor: string
  /** The conversation. */
  readonly node: WaitingConversation
}

/**
 * Something that happened in a conversation. If a client does not know the kind of an event, it still takes over the
 * cursor.
 */
export type ConversationEvent<Selected = Message> =
  | MessageAppended<Selected>
  | MessageUpdated<Selected>
  | MessageDeleted<Selected>
  | MessageTextAppended
  | ConversationUpdated
  | ParticipantsChanged
  | ReadMarkersChanged
  | TypingChanged
  | PresenceChanged
  | ConversationDeleted
  | CaughtUp

/**
 * Something that happened to the viewer's list of conversations. If a client does not know the kind of an event, it
 * still takes over the cursor.
 */
export type ConversationListEvent = ConversationListed | ConversationUnlisted | ConversationListCaughtUp
