import { Field } from 'type-graphql'

/**
 * `Field`, for a getter. For a getter that `Field` marks, Type-GraphQL makes a resolver; this one is taken for a property,
 * which the executor reads by itself. The objects have to be made by their class: only then they have the getter.
 */
export function GetterField(...of: Parameters<typeof Field>): (prototype: object, name: string) => void {
  const field: PropertyDecorator = Field(...of)
  return (prototype, name) => field(prototype, name)
}
