import { Field, ID, InputType } from 'type-graphql'
import { givenFields } from './given-fields.ts'

@InputType({
  description:
    'A message to append. It has content, parts or tool calls. null is the same as absent; at most `MAX_MESSAGE_BYTES` in all.',
})
export class MessageInput extends givenFields('append') {
  @Field(() => ID, {
    nullable: true,
    description:
      "The `id` of the message of this conversation that it continues, in order to branch: to edit a message, its `parentId`, or the conversation's own `id` where that is null; to answer anew, what is answered. Absent: the message before it in this call, or else the active leaf.",
  })
  parentId?: string | null
}
