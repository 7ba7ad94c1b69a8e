import { Field, ID, Int, ObjectType } from 'type-graphql'

@ObjectType({
  description: 'The messages that continue the same one: the versions between which a reader may choose.',
  simpleResolvers: true,
})
export class MessageSiblings {
  @Field(() => Int, { description: 'Which of them this message is, from 0.' })
  index!: number

  @Field(() => Int, { description: 'How many there are, deleted ones included; 1 where nothing branched.' })
  count!: number

  @Field(() => [ID], {
    description: 'Their `id`s by seq, its own among them; of more than 100 only those around its own.',
  })
  ids!: string[]
}
