import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { ParticipantRole } from '../../entities/participant.ts'
import { conversationNotFound } from '../../errors.ts'
import { firstSeqOf, type Part, readPart } from '../../storage/conversation/participant-role.ts'
import { readParticipants } from '../../storage/participant/participant-page.ts'
import type { Context } from '../context.ts'
import { readCount } from '../page/page-args.ts'
import { Participant, ParticipantConnection, readParticipantCursor } from '../page/participant-connection.ts'
import { personOf } from '../person.ts'

@Resolver(() => Conversation)
export class ParticipantsResolver {
  @FieldResolver(() => ParticipantRole, { nullable: true, description: 'What the viewer may do in this conversation.' })
  async viewerRole(@Root() conversation: Conversation, @Ctx() context: Context): Promise<ParticipantRole> {
    return (await partOf(context, conversation)).role
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'The `seq` of the first message that the viewer reads, if it was added so. For the viewer, no field and no operation has a message before that one, nor counts it; only `parentId` may name one. null: the viewer reads all messages, as the owner always does.',
  })
  async historyFrom(@Root() conversation: Conversation, @Ctx() context: Context): Promise<number | null> {
    return (await partOf(context, conversation)).historyFrom
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'How its owner is called, as `Participant.name` says it.',
  })
  async ownerName(@Root() { userId }: Conversation, @Ctx() context: Context): Promise<string | null> {
    return (await personOf(context, userId)).name
  }

  @FieldResolver(() => ParticipantConnection, {
    nullable: true,
    description: 'Who takes part in this conversation, by user id. Its owner is among them.',
  })
  async participants(
    @Root() conversation: Conversation,
    @Arg('first', () => Int, { nullable: true, description: 'How many to read; 50 unless given, at most 100.' })
    first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'Only what comes after this cursor.' })
    after: string | null,
    @Ctx() context: Context,
  ): Promise<ParticipantConnection> {
    const { viewer, services, budget } = context
    const { count } = readCount({ first })
    const from = after ? readParticipantCursor('after', after) : ''
    const page = await readParticipants(services.store, budget, viewer.userId, conversation, from, count)
    if (page === null) throw conversationNotFound()
    return new ParticipantConnection(page)
  }
}

@Resolver(() => Participant)
export class ParticipantResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description:
      'How the user is called, as its last token said by the claim `name`, or else `preferred_username`. null: none said it.',
  })
  async name(@Root() { userId }: Participant, @Ctx() context: Context): Promise<string | null> {
    return (await personOf(context, userId)).name
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: "The user's picture in the same way, by the claim `picture`: an https: URL, or a data: URL.",
  })
  async picture(@Root() { userId }: Participant, @Ctx() context: Context): Promise<string | null> {
    return (await personOf(context, userId)).picture
  }
}

/** The first seq that the viewer reads. @throws ApiError NOT_FOUND */
export async function firstSeqFor(context: Context, conversation: Conversation): Promise<number> {
  return firstSeqOf(await partOf(context, conversation))
}

/** @throws ApiError NOT_FOUND if the viewer takes no part any more */
async function partOf({ viewer, services, budget }: Context, conversation: Conversation): Promise<Part> {
  const part = await readPart(services.store.reads, conversation, viewer.userId, budget)
  if (part === null) throw conversationNotFound()
  return part
}
