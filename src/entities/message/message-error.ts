import { Field, ObjectType } from 'type-graphql'

@ObjectType({ description: 'Why a message failed.', simpleResolvers: true })
export class MessageError {
  @Field(() => String, { description: 'A short word for programs.' })
  code!: string

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string
}
