import { type FieldNode, Kind, type SelectionSetNode } from 'graphql'
import type { MessageColumns } from '../../storage/message/message-row.ts'
import { byField, type Fragments, type Selected } from './by-field.ts'
import { selectedColumns } from './selected-columns.ts'

/** The columns of last messages that answer what is selected beneath a field, at any depth; null: none is selected. */
export function lastMessageColumns({ fieldNodes, fragments }: Selected): MessageColumns | null {
  const all = fieldNodes.map((node) => columnsOf(node, fragments))
  return all.includes('all') ? 'all' : all.includes('brief') ? 'brief' : null
}

const columnsOf = byField(({ selectionSet }, fragments): MessageColumns | null => {
  const fieldNodes = lastMessagesIn(selectionSet, fragments)
  return fieldNodes.length === 0 ? null : selectedColumns({ fieldNodes, fragments })
})

/** Those within others count with them: `conversation` is no field that brief columns answer. */
function lastMessagesIn(selected: SelectionSetNode | undefined, fragments: Fragments): FieldNode[] {
  return (selected?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD && selection.name.value === 'lastMessage') return [selection]
    const within = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection
    return lastMessagesIn(within?.selectionSet, fragments)
  })
}
