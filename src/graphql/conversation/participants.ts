import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { ParticipantRole } from '../../entities/participant.ts'
import { conversationNotFound } from '../../errors.ts'
import { readRole } from '../../storage/conversation/participant-role.ts'
import { readParticipants } from '../../storage/participant/participant-page.ts'
import type { Context } from '../context.ts'
import { readCount } from '../page/page-args.ts'
import { ParticipantConnection, readParticipantCursor } from '../page/participant-connection.ts'

@Resolver(() => Conversation)
export class ParticipantsResolver {
  @FieldResolver(() => ParticipantRole, { nullable: true, description: 'What the viewer may do in this conversation.' })
  async viewerRole(@Root() conversation: Conversation, @Ctx() context: Context): Promise<ParticipantRole> {
    const { viewer, services } = context
    if (viewer.userId === conversation.userId) return ParticipantRole.OWNER
    const role = await readRole(services.store.reads, conversation, viewer.userId)
    if (role === null) throw conversationNotFound()
    return role
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
