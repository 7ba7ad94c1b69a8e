import { Field, ObjectType } from 'type-graphql'
import { AuthorKind } from './message-enums.ts'

@ObjectType({ description: 'Who wrote a message, as the server knows it from its credentials.', simpleResolvers: true })
export class MessageAuthor {
  @Field(() => String, { description: 'The user, or the user for whom it was written.' })
  userId!: string

  @Field(() => AuthorKind, { description: 'What wrote it.' })
  kind!: AuthorKind

  @Field(() => String, { nullable: true, description: 'The name of the backend; null: a user wrote it.' })
  name!: string | null
}
