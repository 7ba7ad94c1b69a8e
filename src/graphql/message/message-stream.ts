import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { Json } from '../../entities/json.ts'
import { Message } from '../../entities/message/message.ts'
import { MessageChunk } from '../../entities/message/message-chunk.ts'
import { MessageStatus } from '../../entities/message/message-enums.ts'
import { badInput, messageNotFound } from '../../errors.ts'
import { refOf } from '../../storage/message/edit.ts'
import { hashPayload } from '../../storage/message/payload-hash.ts'
import { readChunks } from '../../storage/stream/stream-chunks.ts'
import { resumeMessage, stopMessage } from '../../storage/stream/stream-end.ts'
import type { NewChunk } from '../../storage/stream/stream-text.ts'
import type { Context } from '../context.ts'
import { jsonBytes } from '../input/json-rules.ts'
import { readMessageId } from '../input/message-id.ts'
import { requireName, requireStorable } from '../input/text-rules.ts'
import { checkCompleted } from './completion-check.ts'
import { givenFields } from './given-fields.ts'

@InputType({ description: 'What `appendMessageText` takes.' })
export class AppendMessageTextInput {
  @Field(() => ID, { description: 'The message.' })
  messageId!: string

  @Field(() => Int, { description: 'The attempt that `startMessage` or `resumeMessage` answered.' })
  attempt!: number

  @Field(() => Int, {
    description:
      'The number of this chunk: 0, 1, 2 … A chunk that is stored already is acknowledged and not added again.',
  })
  chunk!: number

  @Field(() => String, {
    description: 'The text. Empty text without `data` is only a sign of life, and takes no number.',
  })
  text!: string

  @Field(() => Json, {
    nullable: true,
    description:
      'What is not text, for example reasoning or deltas of tool input. It is kept until the message is complete.',
  })
  data?: unknown

  @Field(() => Boolean, {
    defaultValue: true,
    description:
      'true: the answer comes after the chunk is stored. false: the answer may come earlier. Then keep the chunks from `storedChunks` on, and send them again if a later call is CONFLICT, reason CHUNK.',
  })
  durable!: boolean
}

@ObjectType({ description: 'What `appendMessageText` answers.', simpleResolvers: true })
export class AppendMessageTextPayload {
  @Field(() => Int, { description: 'The number of the next chunk.' })
  nextChunk!: number

  @Field(() => Int, { description: 'How many chunks are durable. The producer keeps the others.' })
  storedChunks!: number

  @Field(() => Boolean, {
    description: 'Whether somebody asked the producer to stop. If so, end the message with `completeMessage`.',
  })
  stopRequested!: boolean
}

@InputType({ description: 'Why a message failed.' })
export class MessageErrorInput {
  @Field(() => String, { description: 'A short word for programs, at most 255 characters.' })
  code!: string

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string
}

@InputType({ description: 'What `completeMessage` takes. null is the same as absent.' })
export class CompleteMessageInput extends givenFields('completion') {
  @Field(() => ID, { description: 'The message.' })
  messageId!: string

  @Field(() => Int, { description: 'The attempt that wrote the message.' })
  attempt!: number

  @Field(() => Int, {
    description: 'How many chunks the message had. If another number is stored, the error is CONFLICT, reason CHUNK.',
  })
  chunks!: number

  @Field(() => MessageStatus, { defaultValue: MessageStatus.COMPLETE, description: 'COMPLETE, FAILED or CANCELLED.' })
  status!: MessageStatus

  @Field(() => MessageErrorInput, {
    nullable: true,
    description: 'Why the message failed, or what of it was not stored.',
  })
  error?: MessageErrorInput | null
}

@ObjectType({ description: 'What `completeMessage` answers, after the change is durable.', simpleResolvers: true })
export class CompleteMessagePayload {
  @Field(() => Message, { description: 'The message as it is now.' })
  message!: Message

  @Field(() => Conversation, { description: 'The conversation of the message.' })
  conversation!: Conversation

  @Field(() => Boolean, { description: 'Whether the same call completed the message before.' })
  replayed!: boolean
}

@InputType({ description: 'What `stopMessage` takes.' })
export class StopMessageInput {
  @Field(() => ID, { description: 'The message.' })
  messageId!: string
}

@ObjectType({ description: 'What `stopMessage` answers.', simpleResolvers: true })
export class StopMessagePayload {
  @Field(() => Message, { description: 'The message. Its producer is told with its next chunk.' })
  message!: Message
}

@InputType({ description: 'What `resumeMessage` takes.' })
export class ResumeMessageInput {
  @Field(() => ID, { description: 'The message.' })
  messageId!: string

  @Field(() => Int, {
    nullable: true,
    description:
      'How many chunks it has to have. If it has another number, it is CONFLICT, reason CHUNK, and its producer goes on: with 0 nobody is disturbed who has written.',
  })
  chunks?: number | null
}

@ObjectType({ description: 'What `resumeMessage` answers.', simpleResolvers: true })
export class ResumeMessagePayload {
  @Field(() => Message, { description: 'The message with the text that is stored. Go on with the chunk `nextChunk`.' })
  message!: Message

  @Field(() => Int, {
    description: 'The attempt to write with. Calls of an older attempt are CONFLICT, reason ATTEMPT.',
  })
  attempt!: number
}

@Resolver()
export class MessageStreamResolver {
  @Query(() => [MessageChunk], {
    nullable: true,
    description:
      'The chunks of a streaming message, from a number on: at most 1000, and fewer if their bytes pass the limit of an answer. A message that has ended has none.',
  })
  async messageChunks(
    @Arg('messageId', () => ID, { description: 'The message.' }) messageId: string,
    @Arg('from', () => Int, { defaultValue: 0, description: 'The number of the first chunk.' }) from: number,
    @Ctx() context: Context,
  ): Promise<Pick<MessageChunk, 'chunk' | 'text' | 'data'>[]> {
    const place = readMessageId(messageId)
    if ((await context.loaders.messageAt.load(place)) === null) throw messageNotFound()
    const { userId } = context.viewer
    const request = { userId, ...place, from: new Map([[place.seq, from]]), count: contractLimits.chunks }
    return (await readChunks(context.services.store, context.budget, request)).chunks
  }

  @Mutation(() => AppendMessageTextPayload, {
    nullable: true,
    description:
      'Adds a chunk to a streaming message. Watchers see the chunk once it is durable. The server stores the chunks of all messages together, every `TEXT_WINDOW_MS`.',
  })
  async appendMessageText(
    @Arg('input', () => AppendMessageTextInput, { description: 'The chunk.' }) input: AppendMessageTextInput,
    @Ctx() context: Context,
  ): Promise<AppendMessageTextPayload> {
    const { streamWriter } = context.services
    if (input.chunk < 0) throw badInput('input.chunk', 'must not be negative.')
    requireStorable('input.text', input.text)
    const data = input.data ?? undefined
    const size = Buffer.byteLength(input.text) + (data === undefined ? 0 : jsonBytes(data))
    const chunk: NewChunk = {
      userId: context.viewer.userId,
      place: readMessageId(input.messageId),
      attempt: input.attempt,
      number: input.chunk,
      text: input.text,
      data,
      size,
    }
    return input.durable ? streamWriter.add(chunk) : streamWriter.accept(chunk)
  }

  @Mutation(() => CompleteMessagePayload, {
    nullable: true,
    description:
      'Ends a streaming message. The same call again gives the same answer, marked as replayed. A call that is refused changes nothing: the message still streams and keeps its text. If the refusal is about a field, call again without that field; `extensions.without` names it, and a completion without `content` and `parts` keeps the streamed text.',
  })
  async completeMessage(
    @Arg('input', () => CompleteMessageInput, { description: 'How the message ends.' }) input: CompleteMessageInput,
    @Ctx() context: Context,
  ): Promise<CompleteMessagePayload> {
    const { streamWriter, limits } = context.services
    const { status } = input
    if (status === 'STREAMING') throw badInput('input.status', 'must be COMPLETE, FAILED or CANCELLED.')
    if (input.error) {
      requireName('input.error.code', input.error.code, contractLimits.name)
      requireStorable('input.error.message', input.error.message)
    }
    const completed = await streamWriter.complete(context.viewer.userId, readMessageId(input.messageId), {
      attempt: input.attempt,
      chunks: input.chunks,
      status,
      error: input.error ?? null,
      hash: hashPayload(input),
      given: input,
      check: (given) => checkCompleted(given, input, limits),
    })
    return { ...completed, conversation: completed.message.conversation }
  }

  @Mutation(() => StopMessagePayload, {
    nullable: true,
    description:
      'Asks the producer of a message to stop. Any device of the viewer may ask. A client that stops watching does not stop the message.',
  })
  async stopMessage(
    @Arg('input', () => StopMessageInput, { description: 'The message.' }) input: StopMessageInput,
    @Ctx() context: Context,
  ): Promise<StopMessagePayload> {
    const { store, streamWriter } = context.services
    const place = readMessageId(input.messageId)
    const message = await stopMessage(store, refOf(context.viewer.userId, place))
    streamWriter.forget(place)
    return { message }
  }

  @Mutation(() => ResumeMessagePayload, {
    nullable: true,
    description: 'Takes over a streaming message, for example after its producer crashed.',
  })
  async resumeMessage(
    @Arg('input', () => ResumeMessageInput, { description: 'The message.' }) input: ResumeMessageInput,
    @Ctx() context: Context,
  ): Promise<ResumeMessagePayload> {
    const { store, streamWriter } = context.services
    const place = readMessageId(input.messageId)
    const resumed = await resumeMessage(store, refOf(context.viewer.userId, place), input.chunks ?? null)
    streamWriter.forget(place)
    return resumed
  }
}
