import { type DirectiveNode, type DocumentNode, Kind, OperationTypeNode, type SelectionSetNode } from 'graphql'

/**
 * Every `@skip` and `@include` on what a subscription selects of its root, also in fragments. The specification allows
 * none there (edition September 2025, section 5.2.4.1), but graphql-js 16 does not refuse them: its rule of the single
 * root field throws when it reads a variable, and a subscription whose only root field is skipped passes, and throws
 * when it is executed.
 */
export function rootConditions({ definitions }: DocumentNode): readonly DirectiveNode[] {
  const fragments = new Map<string, SelectionSetNode>()
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition.selectionSet)
  }
  const found: DirectiveNode[] = []
  const seen = new Set<SelectionSetNode>()
  const look = (selected: SelectionSetNode) => {
    if (seen.has(selected)) return
    seen.add(selected)
    for (const selection of selected.selections) {
      found.push(...(selection.directives ?? []).filter(isCondition))
      if (selection.kind === Kind.FIELD) continue
      const inner =
        selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : fragments.get(selection.name.value)
      if (inner !== undefined) look(inner)
    }
  }
  for (const definition of definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    if (definition.operation === OperationTypeNode.SUBSCRIPTION) look(definition.selectionSet)
  }
  return found
}

function isCondition({ name }: DirectiveNode): boolean {
  return name.value === 'skip' || name.value === 'include'
}
