import { Field, ID, InterfaceType } from 'type-graphql'

@InterfaceType('Node', {
  description:
    'An object whose `id` is unique across all types of this API: a cache can keep the object by it, and `node` can load the object again.',
})
export abstract class Node {
  @Field(() => ID, { description: 'Unique across all types of this API. Opaque, unless you chose it yourself.' })
  readonly id!: string
}
