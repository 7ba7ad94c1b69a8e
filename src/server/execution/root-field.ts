import { Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql'
import type { Executable } from './operation-run.ts'

/**
 * The root field that a valid operation selects, or `several`: for metrics and traces, in which nothing stands that a
 * caller chose freely.
 */
export function rootFieldOf({ selectionSet }: OperationDefinitionNode, fragments: Executable['fragments']): string {
  const names = new Set<string>()
  addFields(selectionSet, fragments, names)
  // Clients select it beside anything.
  if (names.size > 1) names.delete('__typename')
  const [name = 'none'] = names
  return names.size > 1 ? 'several' : name
}

function addFields({ selections }: SelectionSetNode, fragments: Executable['fragments'], names: Set<string>): void {
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) names.add(selection.name.value)
    else {
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value]
      if (inner !== undefined) addFields(inner.selectionSet, fragments, names)
    }
  }
}
