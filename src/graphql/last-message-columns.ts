import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql'
import type { MessageColumns } from '../storage/message-row.ts'
import { selectedColumns } from './selected-columns.ts'

type Asked = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>

const known = new WeakMap<FieldNode, MessageColumns | null>()

/** The columns of last messages that answer what is selected beneath a field, at any depth; null: none is selected. */
export function lastMessageColumns({ fieldNodes, fragments }: Asked): MessageColumns | null {
  const all = fieldNodes.map((node) => columnsOf(node, fragments))
  return all.includes('all') ? 'all' : all.includes('brief') ? 'brief' : null
}

/** Remembered with the document, whose nodes never change. */
function columnsOf(node: FieldNode, fragments: Asked['fragments']): MessageColumns | null {
  let columns = known.get(node)
  if (columns === undefined) {
    const found = lastMessagesIn(node.selectionSet, fragments, new Set())
    columns = found.length === 0 ? null : selectedColumns({ fieldNodes: found, fragments })
    known.set(node, columns)
  }
  return columns
}

/**
 * Those within others count with them: `conversation` is no field that brief columns answer.
 *
 * @param seen fragments that were looked into: each of them may be spread many times
 */
function lastMessagesIn(
  selected: SelectionSetNode | undefined,
  fragments: Asked['fragments'],
  seen: Set<string>,
): FieldNode[] {
  if (selected === undefined) return []
  return selected.selections.flatMap((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const name = selection.name.value
      if (seen.has(name)) return []
      seen.add(name)
      return lastMessagesIn(fragments[name]?.selectionSet, fragments, seen)
    }
    if (selection.kind === Kind.FIELD && selection.name.value === 'lastMessage') return [selection]
    return lastMessagesIn(selection.selectionSet, fragments, seen)
  })
}
