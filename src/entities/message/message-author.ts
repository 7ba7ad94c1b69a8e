import { Field, ObjectType } from 'type-graphql'
import { AuthorKind } from './message-enums.ts'

@ObjectType({ description: 'Who wrote a message, as the server knows it from its credentials.', simpleResolvers: true })
export class MessageAuthor {
  @Field(() => String, { description: 'The user, or the user for whom it was written.' })
  userId!: string

  @Field(() => AuthorKind, { description: 'What wrote it.' })
  kind!: AuthorKind

  @Field(() => String, {
    nullable: true,
    description:
      "The name of the backend; of a user, the name that its token said when it wrote this, by the claim `name`, or else `preferred_username`. `kind` says which. null: the user's token said none.",
  })
  name!: string | null
}
