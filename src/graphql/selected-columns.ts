import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql'
import type { MessageColumns } from '../storage/message-row.ts'

type Asked = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>

/** What can be answered from the brief columns of messages; any other field, of whatever type, takes all of them. */
const briefFields: ReadonlySet<string> = new Set([
  ...['__typename', 'id', 'conversationId', 'seq', 'role', 'name', 'content', 'clientId', 'status', 'createdAt'],
  ...['edges', 'nodes', 'node', 'cursor', 'pageInfo', 'hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor'],
])

const known = new WeakMap<FieldNode, MessageColumns>()

/** The columns of messages that answer what is selected beneath a field, at any depth. */
export function selectedColumns({ fieldNodes, fragments }: Asked): MessageColumns {
  return fieldNodes.every((node) => columnsOf(node, fragments) === 'brief') ? 'brief' : 'all'
}

/** Remembered with the document, whose nodes never change: what @skip and @include leave out counts as selected. */
function columnsOf(node: FieldNode, fragments: Asked['fragments']): MessageColumns {
  let columns = known.get(node)
  if (columns === undefined) {
    columns = isBrief(node.selectionSet, fragments) ? 'brief' : 'all'
    known.set(node, columns)
  }
  return columns
}

function isBrief(selected: SelectionSetNode | undefined, fragments: Asked['fragments']): boolean {
  if (selected === undefined) return true
  return selected.selections.every((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      return isBrief(fragments[selection.name.value]?.selectionSet, fragments)
    }
    if (selection.kind === Kind.FIELD && !briefFields.has(selection.name.value)) return false
    return isBrief(selection.selectionSet, fragments)
  })
}
