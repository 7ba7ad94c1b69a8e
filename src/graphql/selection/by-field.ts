import type { FieldNode, GraphQLResolveInfo } from 'graphql'

export type Fragments = GraphQLResolveInfo['fragments']

/** Where a field is selected, and the fragments of its document. */
export type Selected = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>

/**
 * Finds out about a field once, and remembers it with the document, whose nodes never change. Variables do: what @skip and
 * @include leave out counts as selected.
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
