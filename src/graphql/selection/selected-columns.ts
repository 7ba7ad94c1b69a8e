import { Kind, type SelectionSetNode } from 'graphql'
import type { ConversationColumns } from '../../storage/conversation/conversation-row.ts'
import type { MessageColumns } from '../../storage/message/message-row.ts'
import { byField, type Fragments, type Selected } from './by-field.ts'
import { selects } from './selects.ts'

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
  ({ selectionSet }, fragments): MessageColumns => (isWithin(briefFields, selectionSet, fragments) ? 'brief' : 'all'),
)

/** The fields that the brief columns of conversations answer, and those of the brief columns of their last messages. */
const listedFields: ReadonlySet<string> = new Set([
  ...briefFields,
  ...['userId', 'title', 'updatedAt', 'archivedAt', 'lastSeq', 'lastMessage'],
])

/** The columns of conversations that the selection below a list needs. The `cursor` of the list itself needs all. */
export function selectedListColumns(list: Selected): ConversationColumns {
  const isBrief = list.fieldNodes.every((node) => listColumnsOf(node, list.fragments) === 'brief')
  return isBrief && !selects(list, 'cursor') ? 'brief' : 'all'
}

const listColumnsOf = byField(
  ({ selectionSet }, fragments): ConversationColumns =>
    isWithin(listedFields, selectionSet, fragments) ? 'brief' : 'all',
)

/** The fields that the place of a message answers: its conversation, its seq and its parent. */
const placeFields: ReadonlySet<string> = new Set([
  ...['__typename', 'id', 'conversationId', 'seq', 'parentId', 'siblings', 'index', 'count', 'ids'],
])

/** Whether the selection below a field needs only the places of messages. */
export function selectsPlace({ fieldNodes, fragments }: Selected): boolean {
  return fieldNodes.every(({ selectionSet }) => isWithin(placeFields, selectionSet, fragments))
}

function isWithin(fields: ReadonlySet<string>, selected: SelectionSetNode | undefined, fragments: Fragments): boolean {
  if (selected === undefined) return true
  return selected.selections.every((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      return isWithin(fields, fragments[selection.name.value]?.selectionSet, fragments)
    }
    if (selection.kind === Kind.FIELD && !fields.has(selection.name.value)) return false
    return isWithin(fields, selection.selectionSet, fragments)
  })
}
