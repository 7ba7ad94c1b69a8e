import { Field, ID, InputType } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { givenFields } from './given-fields.ts'

@InputType({
  description:
    'A message to append. It needs content, parts or tool calls. null is the same as absent. It has at most `MAX_MESSAGE_BYTES` in all.',
})
export class MessageInput extends givenFields('append') {
  @Field(() => ID, {
    nullable: true,
    description:
      "The `id` of the message that this message continues, or the conversation's `id` if this message shall continue no other. Give it in order to branch. For a new version of a message, give that message's `parentId`. For another answer, give the message to answer. Without a parent this message continues the one before it in this call, and the first one continues the active leaf.",
  })
  parentId?: string | null

  @Field(() => ID, {
    nullable: true,
    description:
      'Instead of `parentId`: the `clientId` of the message that this message continues. It is a message of the same conversation, or an earlier one of this call.',
  })
  parentClientId?: string | null

  @Field(() => ID, {
    nullable: true,
    description:
      'The `id` of the message of the same conversation to which this message replies. It changes no branch, and no model is told of it.',
  })
  replyTo?: string | null

  @Field(() => [ID], {
    nullable: true,
    description: `The users whom this message mentions, at most ${contractLimits.mentions}, each by the \`userId\` of a participant.`,
  })
  mentions?: string[] | null
}
