import { Field, ID, Int, ObjectType } from 'type-graphql'

@ObjectType({
  description: 'The messages that continue the same message: a reader may choose between these versions.',
  simpleResolvers: true,
})
export class MessageSiblings {
  @Field(() => Int, { description: 'The place of this message among its siblings, from 0.' })
  index!: number

  @Field(() => Int, {
    description: 'How many siblings there are, with this message and with deleted ones; 1 when nothing branched.',
  })
  count!: number

  @Field(() => [ID], {
    description:
      'The `id`s of the siblings, by seq; the `id` of this message is among them. Of more than 100 siblings, only those around this message.',
  })
  ids!: string[]
}
