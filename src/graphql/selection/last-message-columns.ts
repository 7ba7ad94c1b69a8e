import { type FieldNode, Kind, type SelectionSetNode } from 'graphql'
import type { MessageColumns } from '../../storage/message/message-row.ts'
import { byField, type Fragments, type Selected } from './by-field.ts'
import { selectedColumns } from './selected-columns.ts'

/**
 * The columns of last messages that the selection below a field needs, at any depth; null: no last message is selected.
 */
export function lastMessageColumns({ fieldNodes, fragments }: Selected): MessageColumns | null {
  const all = fieldNodes.map((node) => columnsOf(node, fragments))
  return all.includes('all') ? 'all' : all.includes('brief') ? 'brief' : null
}

const columnsOf = byField(({ selectionSet }, fragments): MessageColumns | null => {
  const fieldNodes = lastMessagesIn(selectionSet, fragments)
  return fieldNodes.length === 0 ? null : selectedColumns({ fieldNodes, fragments })
})

/**
 * The search ends at each `lastMessage`. Another one inside it is below `conversation`, a field that needs all columns.
 */
function lastMessagesIn(selected: SelectionSetNode | undefined, fragments: Fragments): FieldNode[] {
  return (selected?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD && selection.name.value === 'lastMessage') return [selection]
    const within = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection
    return lastMessagesIn(within?.selectionSet, fragments)
  })
}
