import type { UIMessage } from 'ai'
import { isSameJson } from '../message/json.ts'
import type { Message, MessageInput } from '../schema/types.ts'
import { saysSomething, shownId, toInput, toUIMessage, toUIMessages } from './ai-sdk-message.ts'
import { isLaterState } from './ai-sdk-state.ts'

/** What is to be written so that a conversation holds a chat. */
export interface Changes {
  /** Later states of stored messages, which take their places. */
  readonly later: readonly { readonly stored: Message; readonly input: MessageInput }[]
  /** New messages. The first names its parent, unless no message of the chat is stored. */
  readonly added: readonly MessageInput[]
}

/**
 * The list of a client shows what this client has seen. It says nothing about messages that are not in it: another client
 * may have added them. So the new messages of the list continue the last stored message of the list, and are a branch when
 * other messages continue it already. Of the stored messages only this last one can be a version that the user has changed:
 * the new version then stands beside the stored one. Earlier ones that differ may be out of date, and are left alone.
 *
 * @param stored the messages of all branches, by seq
 * @param messages as JSON has them
 * @throws RangeError when a new message stands before a stored one, or the last stored one was deleted and no question
 *   follows it
 */
export function changesOf(stored: readonly Message[], messages: readonly UIMessage[]): Changes {
  const versions = group(stored, (message) => originOf(shownId(message)))
  const isNew = ({ id }: UIMessage) => !versions.has(originOf(id))
  const place = messages.findLastIndex((message) => !isNew(message))
  const last = messages[place]
  if (last === undefined) return { later: [], added: messages.map(toInput) }
  const early = messages.slice(0, place).find(isNew)
  if (early !== undefined) throw new RangeError(`Message ${early.id} is new, and cannot stand before a saved one.`)

  const known = versions.get(originOf(last.id)) as Message[]
  const next = messages.slice(place + 1)
  const branch = chooseBranch(branchesOf(stored, known), last)
  if (branch === undefined) {
    const { parentId } = known[0] as Message
    const version = { ...toInput(last), clientId: nextVersion(known), parentId }
    return { later: [], added: [version, ...next.map(toInput)] }
  }
  if (branch.message.deletedAt !== null && next[0]?.role !== 'user') {
    throw new RangeError(`Message ${last.id} was deleted; its id is not used again.`)
  }
  const [first, ...others] = next.map(toInput)
  return {
    later: laterStates(branch.path, messages),
    added: first === undefined ? [] : [{ ...first, parentId: branch.path.at(-1)?.id }, ...others],
  }
}

/** The path that ends with a message and with what a client sees as a part of it. */
interface Branch {
  readonly message: Message
  readonly path: readonly Message[]
  /** The message as a client sees it; null when that is not known: it is streaming, or was deleted. */
  readonly shown: UIMessage | null
}

/** One for each version of a message. */
function branchesOf(stored: readonly Message[], versions: readonly Message[]): Branch[] {
  const byId = new Map(stored.map((message) => [message.id, message]))
  const children = group(stored, ({ parentId }) => parentId)
  return versions.map((message) => {
    const path = pathTo(byId, withAppendages(children, message))
    const shown = isReadable(message) ? showOn(path)(message) : null
    return { message, path, shown }
  })
}

/** The message that the client has, or an earlier or a later state of it, or one that cannot be compared. */
function chooseBranch(branches: readonly Branch[], given: UIMessage): Branch | undefined {
  const find = (fits: (shown: UIMessage) => boolean) => branches.find(({ shown }) => shown !== null && fits(shown))
  return (
    find((shown) => isSame(shown, given)) ??
    find((shown) => isLaterState(given, shown) || isLaterState(shown, given)) ??
    branches.find(({ shown }) => shown === null)
  )
}

/** The last of what follows a message and is no message of a chat: results of its calls, and what is deleted or says nothing. */
function withAppendages(children: ReadonlyMap<string, readonly Message[]>, message: Message): Message {
  let last = message
  for (;;) {
    const next = children.get(last.id) ?? []
    const result = next.findLast(({ role }) => role === 'TOOL')
    const appendage = result ?? (next.length === 1 ? next.find(isHidden) : undefined)
    if (appendage === undefined) return last
    last = appendage
  }
}

function isHidden(message: Message): boolean {
  return message.deletedAt !== null || (message.status !== 'STREAMING' && !saysSomething(message))
}

function isReadable({ status, deletedAt }: Message): boolean {
  return status !== 'STREAMING' && deletedAt === null
}

function pathTo(byId: ReadonlyMap<string, Message>, leaf: Message): Message[] {
  const path: Message[] = []
  let next: Message | undefined = leaf
  while (next !== undefined) {
    path.push(next)
    next = byId.get(next.parentId)
  }
  return path.reverse()
}

function laterStates(path: readonly Message[], messages: readonly UIMessage[]): Changes['later'] {
  const given = new Map(messages.map((message) => [originOf(message.id), message]))
  const show = showOn(path)
  return path.filter(isReadable).flatMap((stored) => {
    const later = given.get(originOf(shownId(stored)))
    if (later === undefined) return []
    const earlier = show(stored)
    return !isSame(later, earlier) && isLaterState(later, earlier) ? [{ stored, input: toInput(later) }] : []
  })
}

/** How a client sees the messages of a path. */
function showOn(path: readonly Message[]): (message: Message) => UIMessage {
  const shown = new Map(toUIMessages(path.filter(isReadable)).map((message) => [message.id, message]))
  return (message) => shown.get(shownId(message)) ?? toUIMessage(message)
}

function isSame(one: UIMessage, other: UIMessage): boolean {
  return isSameJson({ ...one, id: '' }, { ...other, id: '' })
}

/** `useChat` keeps the id of a message that its user changes, and a client id stands for one message. */
const versionMark = /~version-(\d+)$/

/** The id that all versions of a message have in common. */
function originOf(id: string): string {
  return id.replace(versionMark, '')
}

function nextVersion(known: readonly Message[]): string {
  const ids = known.map(shownId)
  const newest = Math.max(...ids.map((id) => Number(versionMark.exec(id)?.[1] ?? 1)))
  return `${originOf(ids[0] as string)}~version-${newest + 1}`
}

function group<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const others = groups.get(key)
    if (others === undefined) groups.set(key, [item])
    else others.push(item)
  }
  return groups
}
