/** The package's entrance for answers of the AI SDK that go on after a reload, `@colloquy/client/ai-sdk-stream`. */
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai'
import { type ChatOptions, type SaveOptions, saveChat } from './ai-sdk.ts'
import { request, withConnection } from './connection/request.ts'
import { followConversation } from './live/follow-conversation.ts'
import { asJson } from './message/json.ts'
import { readAllBranches } from './message/message-page.ts'
import type { ConversationEvent, Message, MessageError } from './schema/types.ts'
import { changesOf } from './sdk/ai-sdk-branch.ts'
import { ChunkReader, ChunkWriter, type StoredChunk } from './sdk/ai-sdk-chunks.ts'
import { shownId, toInput } from './sdk/ai-sdk-message.ts'
import type { MessageStream } from './stream/message-stream.ts'
import { streamMessage } from './stream/stream-message.ts'

/** An answer that is being stored while it is made. */
export interface AnswerStream {
  /** Aborted when somebody asks the answer to stop: give it to `streamText`. */
  readonly stopSignal: AbortSignal
  /**
   * Takes the stream of the answer, stores it, and answers the same stream for the tab that waits. What is stored does not
   * depend on that tab. Call it once.
   */
  store(chunks: ReadableStream<UIMessageChunk>): ReadableStream<UIMessageChunk>
  /** Settles when the answer is stored whole. @throws StreamError or RequestError: it could not be stored */
  readonly stored: Promise<void>
}

/**
 * Stores the answer that follows `messages` while it is made, so that `resumeAnswer` can go on with it. `saveChat` has saved
 * the messages before. An answer that goes on with the last of them, as after an approval, is saved when it ends.
 */
export function streamAnswer<Message extends UIMessage>(options: SaveOptions<Message>): AnswerStream {
  const stop = new AbortController()
  const begun = settleable<void>()
  const stored = settleable<void>()
  const last = options.messages.at(-1)
  const continued = last?.role === 'assistant' ? last : undefined
  const store = (chunks: ReadableStream<UIMessageChunk>) => {
    const [shown, kept] = chunks.pipeThrough(withId(continued?.id)).tee()
    const keeping = keep(options, continued, kept, stop, () => begun.resolve())
    stored.resolve(keeping.finally(() => begun.resolve()))
    // What a tab has seen of an answer, it sees again when it is loaded anew.
    return shown.pipeThrough(after(begun.promise))
  }
  return { stopSignal: stop.signal, store, stored: stored.promise }
}

interface Settleable<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value | Promise<Value>): void
}

function settleable<Value>(): Settleable<Value> {
  let resolve: Settleable<Value>['resolve'] = () => {}
  const promise = new Promise<Value>((onResolve) => {
    resolve = onResolve
  })
  promise.catch(() => {})
  return { promise, resolve }
}

/**
 * The answer that is being made on the chat's active path, from its beginning: first what there is of it, then what comes.
 * null when there is none.
 *
 * @param options with a `signal` that ends the reading
 */
export async function resumeAnswer(options: ChatOptions): Promise<ReadableStream<UIMessageChunk> | null> {
  const { conversation } = (await request(options, leafQuery, { id: options.conversationId })) as unknown as Led
  if (conversation?.activeLeaf?.status !== 'STREAMING') return null
  const { activeLeaf: answer, cursor: after } = conversation
  const following = followConversation<Message>({ ...options, after, selection: 'id status content nextChunk' })
  const chunks = chunksOf(options, following, answer)
  return new ReadableStream<UIMessageChunk>({
    pull: async (controller) => {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: async () => {
      await following.return?.()
    },
  })
}

/** The tab and the store are to know the answer by one id. */
function withId(continued: string | undefined): TransformStream<UIMessageChunk, UIMessageChunk> {
  return new TransformStream({
    transform: (chunk, controller) => {
      const isNameless = chunk.type === 'start' && chunk.messageId === undefined
      controller.enqueue(isNameless ? { ...chunk, messageId: continued ?? crypto.randomUUID() } : chunk)
    },
  })
}

function after(begun: Promise<void>): TransformStream<UIMessageChunk, UIMessageChunk> {
  return new TransformStream({
    transform: async (chunk, controller) => {
      await begun
      controller.enqueue(chunk)
    },
  })
}

/** Stores an answer while it is made, and its parts and metadata when it ends. */
async function keep(
  options: SaveOptions<UIMessage>,
  continued: UIMessage | undefined,
  chunks: ReadableStream<UIMessageChunk>,
  stop: AbortController,
  onBegun: () => void,
): Promise<void> {
  const [pieces, whole] = chunks.tee()
  const [written, message] = await Promise.all([
    write(options, continued, pieces, stop, onBegun),
    lastState(continued, whole),
  ])
  if (message === undefined) return
  if (written === null) {
    const before = options.messages.slice(0, -1)
    return saveChat({ ...options, messages: [...before, message] })
  }
  const { answer, error, isAborted } = written
  const { parts, partsFormat, metadata } = toInput(asJson(message) as UIMessage)
  if (parts === undefined) {
    await answer.fail(error ?? { code: 'MODEL_FAILED', message: 'The model said nothing.' })
    return
  }
  const status = error !== null ? 'FAILED' : isAborted ? 'CANCELLED' : 'COMPLETE'
  await answer.complete({ parts, partsFormat, metadata, status, error })
}

interface Written {
  readonly answer: MessageStream
  readonly error: MessageError | null
  readonly isAborted: boolean
}

/** @returns null: the answer goes on with a message that is stored, or has not begun */
async function write(
  options: SaveOptions<UIMessage>,
  continued: UIMessage | undefined,
  chunks: ReadableStream<UIMessageChunk>,
  stop: AbortController,
  onBegun: () => void,
): Promise<Written | null> {
  let writer: ChunkWriter | null = null
  let error: MessageError | null = null
  let isAborted = false
  for await (const chunk of chunks) {
    if (chunk.type === 'start' && writer === null) {
      const { messageId } = chunk
      if (messageId !== undefined && messageId !== continued?.id) {
        writer = new ChunkWriter(await start(options, messageId, stop))
      }
      onBegun()
    }
    if (chunk.type === 'error') error = { code: 'MODEL_FAILED', message: chunk.errorText }
    if (chunk.type === 'abort') isAborted = true
    await writer?.write(chunk)
  }
  return writer === null ? null : { answer: writer.answer, error, isAborted }
}

async function start(options: SaveOptions<UIMessage>, clientId: string, stop: AbortController): Promise<MessageStream> {
  // A request that is given up does not end the answer.
  const { messages, signal: _, ...chat } = options
  const stored = await withConnection(options, (ask) => readAllBranches(ask, options.conversationId))
  const chatMessages = [...messages, { id: clientId, role: 'assistant', parts: [] }].map(
    (message) => asJson(message) as UIMessage,
  )
  const added = changesOf(stored, chatMessages).added
  const parentId = added.length === 1 ? added[0]?.parentId : undefined
  const answer = streamMessage({
    ...chat,
    ifMissing: 'CREATE',
    clientId,
    messages: added.slice(0, -1),
    ...(parentId === undefined ? {} : { parentId }),
  })
  answer.stopSignal.addEventListener('abort', () => stop.abort(answer.stopSignal.reason), { once: true })
  await answer.started
  return answer
}

async function lastState(
  continued: UIMessage | undefined,
  stream: ReadableStream<UIMessageChunk>,
): Promise<UIMessage | undefined> {
  let last: UIMessage | undefined
  const message = continued === undefined ? undefined : structuredClone(continued)
  for await (const state of readUIMessageStream({ ...(message && { message }), stream })) last = state
  return last
}

interface Led {
  readonly conversation: { readonly cursor: string; readonly activeLeaf: Message | null } | null
}

const leafQuery = `query ($id: ID!) { conversation(id: $id) { cursor activeLeaf { id clientId status } } }`
const chunksQuery = `query ($id: ID!, $from: Int!) { messageChunks(messageId: $id, from: $from) { chunk text data } }`

async function* chunksOf(
  options: ChatOptions,
  following: AsyncIterable<ConversationEvent>,
  answer: Message,
): AsyncGenerator<UIMessageChunk, undefined> {
  const reader = new ChunkReader(shownId(answer))
  const readStored = async function* () {
    for (;;) {
      const data = await request(options, chunksQuery, { id: answer.id, from: reader.next })
      const stored = (data.messageChunks ?? []) as StoredChunk[]
      if (stored.length === 0) return
      for (const chunk of stored) yield* reader.read(chunk)
    }
  }
  yield* readStored()
  for await (const event of following) {
    if (event.__typename === 'MessageTextAppended' && event.messageId === answer.id) {
      yield* reader.read(event)
    } else if (event.__typename === 'MessageUpdated' || event.__typename === 'MessageDeleted') {
      const { id, status, content, nextChunk } = event.message
      if (id !== answer.id) continue
      if (status !== 'STREAMING') return yield* reader.end(content ?? '')
      // What came between the reading and the following, or while the connection was lost.
      if (nextChunk !== null && nextChunk > reader.next) yield* readStored()
    }
  }
}
