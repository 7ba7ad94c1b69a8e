import type { FieldNode, GraphQLResolveInfo } from 'graphql'

export type Fragments = GraphQLResolveInfo['fragments']

/** A selected field, and the fragments of its document. */
export type Selected = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>

/**
 * Examines a field once, and remembers the result by its node of the document, which never changes. Variables may
 * change: a field that @skip or @include leaves out counts as selected.
 */
export function byField<Found extends object | string | null>(
  find: (field: FieldNode, fragments: Fragments) => Found,
): (field: FieldNode, fragments: Fragments) => Found {
  const known = new WeakMap<FieldNode, Found>()
  return (field, fragments) => {
    let found = known.get(field)
    if (found === undefined) {
      found = find(field, fragments)
      known.set(field, found)
    }
    return found
  }
}
