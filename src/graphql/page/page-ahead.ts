import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getArgumentValues,
  Kind,
  type SelectionSetNode,
} from 'graphql'
import type { Conversation } from '../../entities/conversation.ts'
import { AnswerTooLarge } from '../../facts.ts'
import type { ConversationRef } from '../../storage/conversation/conversation-ref.ts'
import { type Page, PagedConversation, type PageRequest } from '../../storage/message/message-page.ts'
import { isGiven } from '../input/is-given.ts'
import type { Loaders } from '../loaders.ts'
import { byField, type Fragments } from '../selection/by-field.ts'
import { selectedColumns } from '../selection/selected-columns.ts'
import { type MessagePageArgs, readCount } from './page-args.ts'

/** What is known of a page before its conversation is read. */
type PageEnd = Pick<PageRequest, 'count' | 'fromEnd' | 'columns'>

/**
 * The conversation, or null. Most conversations are opened with one page from one of their ends. If such a page is
 * selected, the same statement reads it: a second statement took a fifth of the server's CPU.
 */
export async function readWithPage(
  loaders: Loaders,
  ref: ConversationRef,
  info: GraphQLResolveInfo,
): Promise<Conversation | null> {
  const end = pageEnd(info)
  if (end === null) return loaders.conversation.load(ref)
  // Only who owns a conversation has an id of its own for it.
  const ownerId = ref.id === null ? null : ref.userId
  const request = { ...end, key: ref.key, epoch: ref.epoch, ownerId, after: 0, before: null }
  const page = await loaders.page.load(request).catch((error: unknown) => {
    if (!(error instanceof AnswerTooLarge)) throw error
  })
  // The conversation and the page are too large together. Each may be small enough alone, so each is read by itself.
  if (page === undefined) return loaders.conversation.load(ref)
  return page?.conversation ?? null
}

/** The page that was read together with this conversation; null if another page, or none, was read. */
export function pageOf(conversation: Conversation, asked: PageRequest): Page | null {
  const read = conversation instanceof PagedConversation ? conversation.pageRead : undefined
  return read !== undefined && isSame(read.request, asked) ? read.page : null
}

/** Whether two requests about one conversation ask for the same page. */
function isSame(one: PageRequest, other: PageRequest): boolean {
  const isSameEnd = one.count === other.count && one.fromEnd === other.fromEnd && one.columns === other.columns
  return isSameEnd && one.after === other.after && one.before === other.before
}

function pageEnd(info: GraphQLResolveInfo): PageEnd | null {
  const [node, another] = info.fieldNodes
  const messages = node === undefined || another !== undefined ? null : onlyPage(node, info.fragments)
  const field = (info.returnType as GraphQLObjectType).getFields().messages
  if (messages === null || field === undefined) return null
  try {
    const args = getArgumentValues(field, messages, info.variableValues) as MessagePageArgs
    if (args.after || args.before || isGiven(args.branch)) return null
    return { ...readCount(args), columns: selectedColumns({ fieldNodes: [messages], fragments: info.fragments }) }
  } catch {
    // The field itself refuses these arguments, with its own path.
    return null
  }
}

/** The only page that is selected of a conversation, if it has no condition; otherwise null. */
const onlyPage = byField(({ selectionSet }, fragments): FieldNode | null => {
  const found = pagesIn(selectionSet, fragments)
  return found.length === 1 ? (found[0] ?? null) : null
})

/** The selected pages; null for a page with a condition. */
function pagesIn(selected: SelectionSetNode | undefined, fragments: Fragments): (FieldNode | null)[] {
  return (selected?.selections ?? []).flatMap((selection) => {
    const isSure = !selection.directives?.length
    if (selection.kind === Kind.FIELD) return selection.name.value === 'messages' ? [isSure ? selection : null] : []
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection
    const found = pagesIn(fragment?.selectionSet, fragments)
    return isSure ? found : found.map(() => null)
  })
}
