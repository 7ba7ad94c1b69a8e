import { Kind, type SelectionSetNode } from 'graphql'
import type { MessageColumns } from '../../storage/message/message-row.ts'
import { byField, type Fragments, type Selected } from './by-field.ts'

/** The fields that the brief columns of messages answer. Any other field, of any type, needs all columns. */
const briefFields: ReadonlySet<string> = new Set([
  ...['__typename', 'id', 'conversationId', 'seq', 'role', 'name', 'content', 'clientId', 'status', 'createdAt'],
  ...['edges', 'nodes', 'node', 'cursor', 'pageInfo', 'hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor'],
])

/** The columns of messages that the selection below a field needs, at any depth. */
export function selectedColumns({ fieldNodes, fragments }: Selected): MessageColumns {
  return fieldNodes.every((node) => columnsOf(node, fragments) === 'brief') ? 'brief' : 'all'
}

const columnsOf = byField(
  ({ selectionSet }, fragments): MessageColumns => (isBrief(selectionSet, fragments) ? 'brief' : 'all'),
)

function isBrief(selected: SelectionSetNode | undefined, fragments: Fragments): boolean {
  if (selected === undefined) return true
  return selected.selections.every((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      return isBrief(fragments[selection.name.value]?.selectionSet, fragments)
    }
    if (selection.kind === Kind.FIELD && !briefFields.has(selection.name.value)) return false
    return isBrief(selection.selectionSet, fragments)
  })
}
