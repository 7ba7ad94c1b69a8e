import { Field, ID, InterfaceType } from 'type-graphql'

@InterfaceType('Node', {
  description:
    'Anything with an `id` that is unique across all types, so that caches can keep it and `node` can load it again.',
})
export abstract class Node {
  @Field(() => ID, { description: 'Unique across all types of this API; opaque unless you chose it yourself.' })
  readonly id!: string
}
