import { Args, ArgsType, Ctx, Field, FieldResolver, ID, InputType, Int, ObjectType, Resolver, Root } from 'type-graphql'
import { contractLimits, type Limits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { Json } from '../../entities/json.ts'
import {
  ContextFormat,
  OmissionReason,
  PendingCallRule,
  ReasoningContent,
  TokenEncoding,
} from '../../entities/window-enums.ts'
import { badInput, tooLarge } from '../../errors.ts'
import { parentSeqIn } from '../../storage/branch/append-parents.ts'
import { activeLeafOf, type Range, readWholePath } from '../../storage/branch/path.ts'
import type { NewMessage } from '../../storage/message/new-message.ts'
import { countUndeleted, sumTokens } from '../../storage/window/path-totals.ts'
import { readWindow, type WindowAsk } from '../../storage/window/read-window.ts'
import type { PendingCall } from '../../window/items/pending-call.ts'
import { mostCacheMarks } from '../../window/rules/cache-marks.ts'
import { readQuery } from '../../words/word-query.ts'
import type { Context } from '../context.ts'
import { atMessages } from '../fact-errors.ts'
import { isGiven } from '../input/is-given.ts'
import { requireLength, requireStorable } from '../input/text-rules.ts'
import { checkMessage } from '../message/message-check.ts'
import { MessageInput } from '../message/message-input.ts'
import { type ParentInput, readParent } from '../message/message-parent.ts'
import { firstSeqFor } from './participants.ts'

@InputType({ description: 'What a window brings back from before its first message.' })
export class RecallInput {
  @Field(() => String, {
    description: 'What to look for, as in `searchMessages`: any word is enough. At most 1000 characters.',
  })
  query!: string

  @Field(() => Int, {
    description:
      'How many tokens the recalled turns and their marks may have: from 1 to less than `maxTokens` without `reserve`. They are kept from the newer turns, unless the newest one needs them.',
  })
  maxTokens!: number
}

@ArgsType()
export class ContextArgs {
  @Field(() => Int, {
    description:
      'How many tokens the window may have, `reserve` included: from 1 to 10000000. The server counts them with `encoding`.',
  })
  maxTokens!: number

  @Field(() => String, {
    nullable: true,
    description: 'Instructions that come before all others. They are not stored.',
  })
  system?: string | null

  @Field(() => MessageInput, {
    nullable: true,
    description: "The user's new message. It comes last, and it is not stored. Its role is USER.",
  })
  userMessage?: MessageInput | null

  @Field(() => ContextFormat, {
    defaultValue: ContextFormat.OPENAI_CHAT,
    description: 'The API or the SDK that the messages are for.',
  })
  format!: ContextFormat

  @Field(() => TokenEncoding, { defaultValue: TokenEncoding.O200K_BASE, description: 'The tokenizer to count with.' })
  encoding!: TokenEncoding

  @Field(() => Int, {
    nullable: true,
    description:
      'How many of `maxTokens` to leave free, for the answer and for the descriptions of tools. 0 unless given.',
  })
  reserve?: number | null

  @Field(() => Int, {
    nullable: true,
    description:
      'How many pictures the window may have; 0: none. Unless given, as many as the provider takes in one request: 1500 for OpenAI, 100 for the other formats. Of more pictures the newest are kept; each of the others becomes the text `[picture left out]`. They are left out in blocks of a quarter of this number, so that windows of a growing conversation mostly begin alike.',
  })
  maxImages?: number | null

  @Field(() => Int, {
    defaultValue: 0,
    description:
      'How many marks for a cache of the provider to set: from 0 to 4. The provider takes 4 in one request, and marks of your own tools count too. The first mark is at the end of the instructions, the second at the end of the window, the others where earlier requests ended: 3 are enough for most agents. Marks that were stored are always left out. OPENAI_RESPONSES has no marks, because OpenAI caches by itself.',
  })
  cacheMarks!: number

  @Field(() => ReasoningContent, {
    defaultValue: ReasoningContent.NONE,
    description:
      "What messages of OPENAI_CHAT have of the model's reasoning, for providers that want it back. Each field comes back under its name, such as `reasoning_content`, and its tokens count. Other formats have no such fields: they give back their own reasoning in any case.",
  })
  reasoningContent!: ReasoningContent

  @Field(() => PendingCallRule, {
    defaultValue: PendingCallRule.INTERRUPT,
    description:
      'What becomes of calls that still wait for their results, in `messages`. `pendingCalls` names them always.',
  })
  pendingCalls!: PendingCallRule

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Whether messages of the user say who wrote them, if several users wrote messages of the user in this conversation. They say the `userId` of `Message.author`: in OPENAI_CHAT as the field `name`, in place of the stored name, and in other formats as `userId: ` before the words. It counts with the tokens. `userMessage` is by the viewer.',
  })
  authors!: boolean

  @Field(() => RecallInput, {
    nullable: true,
    description:
      'Brings back older turns of the path that fit a query: whole turns, before the others and oldest first, between two messages of the user that say so. Turns that do not fit are left out. They are found as `searchMessages` finds messages of this conversation.',
  })
  recall?: RecallInput | null
}

@ObjectType('PendingCall', {
  description:
    'A call of the last step that has no result yet, so that somebody has to run it, or to allow it, before the model can go on.',
  simpleResolvers: true,
})
export class PendingCallAnswer {
  @Field(() => String, {
    description: 'The id of the call, as it is stored. The message with the result has it as its `toolCallId`.',
  })
  callId!: string

  @Field(() => String, {
    description: 'The name of the tool. Of a call that is no function and names none, the kind of the call.',
  })
  name!: string

  @Field(() => String, {
    description: '`function` or `custom`, or the type of a call that is no function, such as `computer_call`.',
  })
  type!: string

  @Field(() => String, {
    description:
      'What the model passes to the tool: the text that it wrote. Of a call that is no function, the JSON text of its part.',
  })
  arguments!: string

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether people have allowed the call. false while they are still asked; null if nobody was asked.',
  })
  approved!: boolean | null

  @Field(() => String, {
    nullable: true,
    description: 'The id that the answer of people has to name; null if nobody was asked.',
  })
  approvalId!: string | null

  @Field(() => ID, { description: 'The message that holds the call.' })
  messageId!: string
}

@ObjectType({ description: 'What a window leaves out of the path that it follows.', simpleResolvers: true })
export class OmittedMessages {
  @Field(() => [OmissionReason], {
    description:
      'Why messages are left out, and how messages in the window differ from the stored ones. Each reason comes once.',
  })
  reasons!: readonly OmissionReason[]

  conversation!: Conversation
  path!: readonly Range[]
  encoding!: TokenEncoding
  /** The stored messages in the window. */
  included!: { readonly messages: number; readonly tokens: number }
}

@ObjectType('ToolNameChange', {
  description: 'A tool whose name the provider refuses, and the name that the window has in its place.',
  simpleResolvers: true,
})
export class ToolNameChangeAnswer {
  @Field(() => String, { description: 'The name as it is stored.' })
  name!: string

  @Field(() => String, {
    description:
      'The name in the window: of characters that the provider takes, and with a hash of the stored name at its end. It is the same in every window of this format. Describe the tool to the model under this name, and call it when the model calls this name.',
  })
  written!: string
}

@ObjectType('ContextWindow', {
  description:
    'What a model reads: ready to send, and valid for its provider. A call and its result are in the window together or not at all, unless the call waits and `pendingCalls` is KEEP, or its provider goes on with it.',
  simpleResolvers: true,
})
export class ContextWindowAnswer {
  @Field(() => Json, {
    nullable: true,
    description: 'The instructions, if the provider takes them apart from the messages; otherwise null.',
  })
  system!: unknown

  @Field(() => Json, { description: "A list of the messages in the provider's own form, oldest first." })
  messages!: unknown

  @Field(() => Int, {
    description:
      'The tokens of the window, without `reserve`. This is an estimate of what the provider counts, and a rough one for models that are not from OpenAI. Each message counts 4 tokens more than its words, each call to a function 4 more, and a picture or file 1000.',
  })
  tokenCount!: number

  @Field(() => [ToolNameChangeAnswer], {
    description:
      'The names of tools that are changed in this window, each once. All other names are as they are stored.',
  })
  toolNames!: readonly ToolNameChangeAnswer[]

  @Field(() => Int, { description: 'How many stored messages are in the window.' })
  included!: number

  @Field(() => [Int], { description: 'The seqs of the stored messages that `recall` brought back, in order.' })
  recalled!: readonly number[]

  @Field(() => OmittedMessages, { description: 'What the window leaves out.' })
  omitted!: OmittedMessages

  @Field(() => Int, {
    nullable: true,
    description:
      'The seq of the first stored message after the leading instructions, without recalled ones; null if there is none.',
  })
  firstSeq!: number | null

  @Field(() => Int, { nullable: true, description: 'The seq of the last stored message; null if `firstSeq` is null.' })
  lastSeq!: number | null

  @Field(() => [PendingCallAnswer], {
    description: 'The calls that wait for their results, in order. Calls that people did not allow are not among them.',
  })
  pendingCalls!: readonly PendingCallAnswer[]
}

@Resolver(() => Conversation)
export class ContextWindowResolver {
  @FieldResolver(() => ContextWindowAnswer, {
    nullable: true,
    description:
      'What a model needs in order to continue, as data that its provider takes: the instructions with which the conversation begins, the newest whole turns that fit, oldest first, and `userMessage`. The window follows the active path to its leaf, or to the message that `userMessage` names as its parent. It leaves out deleted and streaming messages. A message that failed or was cancelled keeps its words, files and calls. One operation may read at most 10 windows. If even the newest turn does not fit, the error is BAD_USER_INPUT, reason CONTEXT_TOO_SMALL, and `needed` says which `maxTokens` is enough.',
  })
  async context(
    @Root() conversation: Conversation,
    @Args(() => ContextArgs) args: ContextArgs,
    @Ctx() context: Context,
  ): Promise<ContextWindowAnswer> {
    const { format, encoding, maxTokens, cacheMarks, reasoningContent, pendingCalls, authors } = args
    const { services, viewer } = context
    const { limits } = services
    const reserve = args.reserve ?? 0
    requireTokens(maxTokens, reserve)
    const maxImages = args.maxImages ?? null
    if (maxImages !== null && maxImages < 0) throw badInput('maxImages', 'must be 0 or more.')
    requireCacheMarks(cacheMarks)
    const system = args.system ?? null
    if (system !== null) requireSystem(system, limits)
    const userMessage = isGiven(args.userMessage) ? readUserMessage(args.userMessage, limits) : null
    const recall = isGiven(args.recall) ? readRecall(args.recall, maxTokens - reserve) : null
    spendWindow(context)
    const leaf = await leafOf(context, conversation, args.userMessage ?? {})
    const path = await readWholePath(services.store, viewer.userId, conversation, leaf, context.budget)
    const ask = {
      conversation,
      path,
      format,
      encoding,
      maxTokens,
      reserve,
      maxImages,
      system,
      userMessage,
      cacheMarks,
      reasoningContent,
      pendingCalls,
      authors,
      recall,
    }
    const reader = { store: services.store, tokens: services.tokens, budget: context.budget, userId: viewer.userId }
    const { window, includedTokens } = await readWindow(reader, ask)
    const included = { messages: window.included.length, tokens: includedTokens }
    return {
      ...window,
      included: included.messages,
      pendingCalls: window.pendingCalls.map(toAnswer),
      omitted: { reasons: window.reasons, conversation, path, encoding, included },
    }
  }
}

@Resolver(() => OmittedMessages)
export class OmittedMessagesResolver {
  @FieldResolver(() => Int, {
    nullable: true,
    description: 'How many messages are left out. Deleted messages do not count.',
  })
  async messages(
    @Root() { conversation, path, included }: OmittedMessages,
    @Ctx() { services, viewer, budget }: Context,
  ): Promise<number> {
    const count = await countUndeleted(services.store, conversation, path, viewer.userId, budget)
    return Math.max(count - included.messages, 0)
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'How many tokens those messages have. Streaming messages do not count. null if some were never counted: a message is counted when a window first reaches it.',
  })
  async tokens(
    @Root() { conversation, path, encoding, included }: OmittedMessages,
    @Ctx() { services, viewer, budget }: Context,
  ): Promise<number | null> {
    const sum = await sumTokens(services.store, conversation, path, viewer.userId, encoding, budget)
    return sum === null ? null : Math.max(sum - included.tokens, 0)
  }
}

function toAnswer({ call, message, ...pending }: PendingCall): PendingCallAnswer {
  const { callId, name, arguments: text } = call
  const type = call.kind === 'call' ? call.type : 'function'
  return { callId, name, type, arguments: text, ...pending, messageId: message.id ?? '' }
}

function requireTokens(maxTokens: number, reserve: number): void {
  if (maxTokens < 1 || maxTokens > contractLimits.contextTokens) {
    throw badInput('maxTokens', `must be from 1 to ${contractLimits.contextTokens}.`)
  }
  if (reserve < 0 || reserve >= maxTokens) throw badInput('reserve', 'must be from 0 to less than maxTokens.')
}

/** @param limit the tokens of the whole window */
function readRecall({ query, maxTokens }: RecallInput, limit: number): WindowAsk['recall'] {
  requireLength('recall.query', query, contractLimits.searchQuery)
  if (maxTokens < 1 || maxTokens >= limit) {
    throw badInput('recall.maxTokens', 'must be from 1 to less than maxTokens without reserve.')
  }
  return { query: readQuery(query), maxTokens }
}

function requireCacheMarks(cacheMarks: number): void {
  if (cacheMarks < 0 || cacheMarks > mostCacheMarks)
    throw badInput('cacheMarks', `must be from 0 to ${mostCacheMarks}.`)
}

function requireSystem(system: string, limits: Limits): void {
  requireStorable('system', system)
  const bytes = Buffer.byteLength(system)
  if (bytes > limits.messageBytes) throw tooLarge('system', 'bytes', limits.messageBytes, bytes)
}

function readUserMessage(input: MessageInput, limits: Limits): NewMessage {
  if (input.role !== 'USER') throw badInput('userMessage.role', 'must be USER.')
  return checkMessage('userMessage', input, limits)
}

/** The seq with which the path of a window ends. @throws ApiError BAD_USER_INPUT */
async function leafOf(context: Context, conversation: Conversation, given: ParentInput): Promise<number> {
  const { viewer, loaders } = context
  const name = readParent(viewer.userId, 'userMessage', given)
  if (name === null) return activeLeafOf(conversation)
  const firstSeq = await firstSeqFor(context, conversation)
  const named = 'clientId' in name ? await loaders.messageByClientId.load({ conversation, ...name }) : null
  const known = new Map(named === null ? [] : [[named.clientId ?? '', named.seq]])
  try {
    return parentSeqIn({ conversation, firstSeq }, name, known)
  } catch (error) {
    return atMessages([{ path: 'userMessage', given }])(error)
  }
}

/** @throws ApiError PAYLOAD_TOO_LARGE */
function spendWindow(context: Context): void {
  context.windows += 1
  if (context.windows <= contractLimits.windows) return
  throw tooLarge('context', 'windows in this operation', contractLimits.windows, context.windows)
}
