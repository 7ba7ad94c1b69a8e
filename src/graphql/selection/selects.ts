import { Kind, type SelectionSetNode } from 'graphql'
import { byField, type Fragments, type Selected } from './by-field.ts'

/** Whether a field of this name is selected directly below. */
export function selects({ fieldNodes, fragments }: Selected, name: string): boolean {
  return fieldNodes.some((node) => namesOf(node, fragments).has(name))
}

const namesOf = byField(({ selectionSet }, fragments): ReadonlySet<string> => new Set(namesIn(selectionSet, fragments)))

function namesIn(selected: SelectionSetNode | undefined, fragments: Fragments): string[] {
  return (selected?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value]
    const within = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection
    return namesIn(within?.selectionSet, fragments)
  })
}
