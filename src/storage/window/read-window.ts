import type { Conversation } from '../../entities/conversation.ts'
import type { ContextFormat, PendingCallRule, ReasoningContent, TokenEncoding } from '../../entities/window-enums.ts'
import { ConversationMissing } from '../../facts.ts'
import type { Counted } from '../../window/items/spoken.ts'
import { type ContextWindow, WindowBuilder } from '../../window/window.ts'
import type { WordQuery } from '../../words/word-query.ts'
import type { Range } from '../branch/path.ts'
import { type CallApprovals, readApprovals } from '../chat/call-approvals.ts'
import { findConversation } from '../conversation/conversation.ts'
import type { NewMessage } from '../message/new-message.ts'
import { countMessages, countSystem } from './message-tokens.ts'
import { countMarks, recallTurns } from './recall.ts'
import { storeTokenCounts } from './token-counts.ts'
import { hasSeveralAuthors, WindowAuthors } from './window-authors.ts'
import { readLeading, readWindowPage, type WindowMessage } from './window-messages.ts'
import type { WindowReader } from './window-reader.ts'

export interface WindowAsk {
  readonly conversation: Conversation
  /** The path of the conversation that the window is read from, from its end down. */
  readonly path: readonly Range[]
  readonly format: ContextFormat
  readonly encoding: TokenEncoding
  readonly maxTokens: number
  readonly reserve: number
  readonly maxImages: number | null
  readonly system: string | null
  readonly userMessage: NewMessage | null
  readonly cacheMarks: number
  readonly reasoningContent: ReasoningContent
  readonly pendingCalls: PendingCallRule
  /** Whether messages of the user say who wrote them, if several users did. */
  readonly authors: boolean
  /** null: nothing is recalled. */
  readonly recall: { readonly query: WordQuery; readonly maxTokens: number } | null
}

export interface ReadWindow {
  readonly window: ContextWindow
  /** The tokens of the stored messages in the window, without their reasoning. */
  readonly includedTokens: number
}

/**
 * Reads a conversation backwards until the window is full. Counts the tokens of messages that are not counted yet, and
 * stores the counts.
 *
 * @throws ContextTooSmall, ConversationMissing, AnswerTooLarge; ApiError UNAVAILABLE while too much text waits to be
 *   counted
 */
export async function readWindow(reader: WindowReader, ask: WindowAsk): Promise<ReadWindow> {
  const {
    format,
    encoding,
    maxTokens,
    reserve,
    conversation,
    path,
    maxImages,
    cacheMarks,
    reasoningContent,
    pendingCalls,
  } = ask
  const tokensOf = new Map<number, number>()
  const remember = (counted: readonly Counted[]) => {
    for (const { message, tokens } of counted) tokensOf.set(message.seq, tokens)
    return counted.reduce((sum, { tokens }) => sum + tokens, 0)
  }
  const leading = await readAllLeading(reader, ask)
  const writer = ask.userMessage === null ? null : reader.userId
  const isShared = ask.authors && (await hasSeveralAuthors(reader, conversation, writer))
  const authors = isShared ? new WindowAuthors(reader.tokens, encoding) : null
  const given = await countGiven(reader, ask, authors)
  const kept = ask.recall === null ? null : { tokens: ask.recall.maxTokens, marks: await countMarks(reader, encoding) }
  const wishes = { maxImages, cacheMarks, reasoningContent, pendingCalls, ...(kept === null ? {} : { recall: kept }) }
  const builder = new WindowBuilder({ format, maxTokens, reserve, ...wishes, ...given }, leading)
  let left = maxTokens - reserve - remember(leading) - (given.system?.tokens ?? 0) - (given.userMessage?.tokens ?? 0)
  left -= kept?.tokens ?? 0
  let before = (path[0]?.high ?? 0) + 1
  while (before > 1 && !builder.isFull) {
    const page = await readPage(reader, ask, before, left, authors)
    if (page.length === 0) {
      if (tokensOf.size === 0) await requireConversation(reader, conversation)
      break
    }
    builder.add(page)
    left -= remember(page)
    before = (page.at(-1) as Counted).message.seq
  }
  if (ask.recall !== null) {
    const first = leading.at(-1)?.message.seq ?? 0
    await recallTurns(reader, { ...ask, query: ask.recall.query, after: first }, builder, async (seq, rows) => {
      const page = await readRows(reader, ask, seq, builder.recallLeft, rows, authors)
      remember(page)
      return page
    })
  }
  const window = builder.finish()
  const includedTokens = window.included.reduce((sum, { seq }) => sum + (tokensOf.get(seq) ?? 0), 0)
  return { window, includedTokens }
}

/** If nothing was read, the conversation may have been deleted meanwhile. That is an error, and not an empty window. */
async function requireConversation({ store, userId }: WindowReader, { key, epoch }: Conversation): Promise<void> {
  if ((await findConversation(store, { userId, key, epoch, id: null })) === null) throw new ConversationMissing()
}

const leadingRows = 16

async function readAllLeading(reader: WindowReader, { conversation, path, encoding }: WindowAsk): Promise<Counted[]> {
  const { store, budget, userId } = reader
  const leading: WindowMessage[] = []
  for (;;) {
    const after = leading.at(-1)?.message.seq ?? 0
    const request = { conversation, path, encoding, after, rows: leadingRows }
    const more = await readLeading(store, budget, userId, request)
    leading.push(...more)
    if (more.length < leadingRows) return count(reader, conversation, encoding, leading)
  }
}

async function countGiven(
  { tokens, userId }: WindowReader,
  { system, userMessage, encoding }: WindowAsk,
  authors: WindowAuthors | null,
) {
  const [systemTokens, counted] = await Promise.all([
    system === null ? 0 : countSystem(tokens, encoding, system),
    userMessage === null ? [] : countMessages(tokens, encoding, [userMessage]),
  ])
  const [countedMessage] = (await authors?.addTo(counted, () => userId)) ?? counted
  return {
    system: system === null ? null : { text: system, tokens: systemTokens },
    userMessage: countedMessage ?? null,
  }
}

/**
 * Few messages have fewer tokens, so one page is enough in most cases. A look at 500 rows takes about a millisecond.
 */
const tokensPerRow = 8
const [fewestRows, mostRows] = [32, 500]
/** If a turn does not fit, it is read to its beginning, so that the error can say how long it is. */
const tokensBeyond = 8_000

function readPage(
  reader: WindowReader,
  ask: WindowAsk,
  before: number,
  left: number,
  authors: WindowAuthors | null,
): Promise<Counted[]> {
  const tokens = left > 0 ? left : tokensBeyond
  const rows = Math.min(Math.max(Math.ceil(tokens / tokensPerRow), fewestRows), mostRows)
  return readRows(reader, ask, before, tokens, rows, authors)
}

async function readRows(
  reader: WindowReader,
  { conversation, path, encoding }: WindowAsk,
  before: number,
  tokens: number,
  rows: number,
  authors: WindowAuthors | null,
): Promise<Counted[]> {
  const { store, budget, userId } = reader
  const request = { conversation, path, encoding, before, tokens, rows }
  const read = await count(reader, conversation, encoding, await readWindowPage(store, budget, userId, request))
  const counted = await withAnswers(reader, read)
  return (await authors?.addTo(counted, ({ authorId }) => authorId ?? conversation.userId)) ?? counted
}

/** What people answered to calls is asked only where a call has no result among these messages. */
async function withAnswers({ store, budget, userId }: WindowReader, counted: Counted[]): Promise<Counted[]> {
  const results = new Set(counted.map(({ message }) => message.toolCallId))
  const open = counted.filter(({ message }) => message.toolCalls.some(({ callId }) => !results.has(callId)))
  const messages = open.map(({ message }) => message)
  const answers = await readApprovals(store, budget, userId, messages)
  const found = new Map(messages.map((message, n) => [message, answers[n] as CallApprovals]))
  return counted.map((one) => {
    const callAnswers = found.get(one.message)
    return callAnswers === undefined || callAnswers.size === 0 ? one : { ...one, callAnswers }
  })
}

/**
 * The messages with their tokens. Messages without a count are counted, and their counts are stored for the next
 * window.
 */
async function count(
  { store, tokens, userId }: WindowReader,
  conversation: Conversation,
  encoding: TokenEncoding,
  messages: readonly WindowMessage[],
): Promise<Counted[]> {
  // A streaming message comes into no window, and its text will change.
  const uncounted = messages.filter(({ message, counted }) => counted === null && message.status !== 'STREAMING')
  const counts = await countMessages(
    tokens,
    encoding,
    uncounted.map(({ message }) => message),
  )
  if (counts.length > 0) {
    // Counts are a saving: a window is read all the same from a database that takes no writes, or has no room.
    await storeTokenCounts(store, conversation, userId, encoding, counts).catch((error: unknown) => {
      store.log.warn(
        { err: error },
        'could not store the tokens of messages; they are counted again for the next window',
      )
    })
  }
  const bySeq = new Map(counts.map((counted) => [counted.message.seq, counted]))
  return messages.map(
    ({ message, counted }) => bySeq.get(message.seq) ?? { message, ...(counted ?? { tokens: 0, reasoningTokens: 0 }) },
  )
}
