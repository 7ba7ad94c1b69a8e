import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import {
  applyEvent,
  type ConversationEvent,
  followConversation,
  type MessageStream,
  StreamError,
  streamMessage,
} from '../../client/src/index.ts'
import type { Answer } from './api.ts'

/** What followers and pages are compared by, message by message. */
export interface StormMessage {
  readonly id: string
  readonly seq: number
  readonly content: string | null
  readonly status: string
  readonly nextChunk: number | null
  readonly revision: string
  readonly clientId: string | null
  readonly deletedAt: string | null
  readonly author: { readonly userId: string }
}

const selection = 'id seq content status nextChunk revision clientId deletedAt author { userId }'

/** What was done and seen, for people. */
export interface Counts {
  events: number
  reconnects: number
  appends: number
  edits: number
  streams: number
  words: number
}

/**
 * A user who writes and reads conversations, in many places at once, while a test disturbs their connections. Everything
 * goes through one place, and is tried again until it is answered.
 */
export class Storm implements Disposable {
  readonly counts: Counts = { events: 0, reconnects: 0, appends: 0, edits: 0, streams: 0, words: 0 }
  readonly #url: string
  readonly #identity: Readonly<Record<string, string>>
  readonly #over = new AbortController()
  readonly #abandoned = new AbortController()

  /** @param place a server, or what stands before several */
  constructor(place: { readonly url: string }, userId = 'ada') {
    this.#url = `${place.url}/graphql`
    this.#identity = { 'x-user-id': userId }
  }

  /** Nobody begins anything new. */
  end(): void {
    this.#over.abort()
  }

  get isOver(): boolean {
    return this.#over.signal.aborted
  }

  /** Between two things that somebody does. */
  async breathe(ms: number): Promise<void> {
    await pause(Math.random() * 2 * ms, undefined, { signal: this.#over.signal }).catch(() => {})
  }

  /** The answer of whichever server gives one. */
  async ask(query: string, variables: object): Promise<Answer> {
    for (;;) {
      try {
        const response = await fetch(this.#url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', connection: 'close', ...this.#identity },
          body: JSON.stringify({ query, variables }),
          signal: AbortSignal.timeout(2_500),
        })
        const answer = (await response.json()) as Answer
        if (answer.errors?.[0]?.extensions.code !== 'UNAVAILABLE') return answer
      } catch {
        // Cut, stalled, dropped, or a server that stops.
        this.#abandoned.signal.throwIfAborted()
      }
      await pause(Math.random() * 200)
    }
  }

  /** Appends with client ids of its own. @returns of every append the seq that was acknowledged, by client id */
  async write(conversationId: string, writer: string): Promise<Map<string, number>> {
    const acknowledged = new Map<string, number>()
    for (let n = 0; !this.isOver; n++) {
      const clientId = `${writer}:${n}`
      acknowledged.set(clientId, await this.append(conversationId, clientId))
      await this.breathe(200)
    }
    return acknowledged
  }

  /** @returns the seq */
  async append(conversationId: string, clientId: string): Promise<number> {
    const input = { conversationId, message: { role: 'USER', content: clientId, clientId } }
    const query = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
    const { data, errors } = await this.ask(query, { input })
    if (errors !== undefined) throw new Error(`an append was refused: ${JSON.stringify(errors)}`)
    this.counts.appends += 1
    return data.appendMessage.message.seq
  }

  /** Edits and deletes messages of its own. @returns by client id, what is left of each; null: it was deleted */
  async edit(conversationId: string, editor: string): Promise<Map<string, string | null>> {
    const left = new Map<string, string | null>()
    for (let n = 0; !this.isOver; n++) {
      const clientId = n % 4 === 0 ? `${editor}:${n}` : pick([...left.keys()])
      if (n % 4 === 0) await this.append(conversationId, clientId)
      const content = n % 7 === 6 ? null : `${clientId}, edited ${n}`
      const query =
        content === null
          ? 'mutation ($input: DeleteMessageInput!) { deleteMessage(input: $input) { message { id } } }'
          : 'mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { id } } }'
      const input = { conversationId, clientId, ...(content === null ? {} : { content }) }
      const { errors } = await this.ask(query, { input })
      const code = errors?.[0]?.extensions.code
      if (code !== undefined && code !== 'NOT_FOUND') throw new Error(`an edit was refused: ${JSON.stringify(errors)}`)
      // One that is deleted stays deleted; a deletion that is made again finds nothing.
      left.set(clientId, code === undefined ? content : null)
      this.counts.edits += 1
      await this.breathe(300)
    }
    return left
  }

  /** Appends many at once and deletes everything that is there, from time to time. @returns as `write` */
  async clear(conversationId: string, writer: string): Promise<Map<string, number>> {
    const acknowledged = new Map<string, number>()
    for (let n = 0; !this.isOver; n++) {
      // More than a feed reads at once.
      const clientIds = Array.from({ length: 50 }, (_, index) => `${writer}:${n}:${index}`)
      const messages = clientIds.map((clientId) => ({ role: 'USER', content: clientId, clientId }))
      const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { messages { seq } } }'
      const { data } = await this.ask(append, { input: { conversationId, messages } })
      for (const [index, { seq }] of data.appendMessages.messages.entries()) {
        acknowledged.set(clientIds[index] as string, seq)
      }
      this.counts.appends += clientIds.length
      await this.breathe(1_000)
      const clear = 'mutation ($id: ID!) { clearConversation(input: { id: $id }) { conversation { id } } }'
      await this.ask(clear, { id: conversationId })
      this.counts.edits += 1
    }
    return acknowledged
  }

  /** Streams one answer after the other. @returns by message id what was written; null: it was deleted under the pen */
  async stream(conversationId: string): Promise<Map<string, string | null>> {
    const written = new Map<string, string | null>()
    for (let n = 0; !this.isOver; n++) {
      const crash = new AbortController()
      let stream = streamMessage({
        conversationId,
        // However long it is kept from the servers, it is not failed for that.
        timeoutSeconds: 3_600,
        ...this.#common(),
        signal: AbortSignal.any([crash.signal, this.#abandoned.signal]),
      })
      try {
        const { id } = await stream.started
        written.set(id, null)
        let text = await this.#speak(stream, `${n}`)
        if (n % 3 === 1) {
          crash.abort()
          stream = streamMessage({ messageId: id, ...this.#common() })
          const { content } = await stream.started
          // What the one that is gone had not handed over went with it.
          if (!text.startsWith(content ?? '')) throw new Error(`${id} was taken over with another text: ${content}`)
          text = (content ?? '') + (await this.#speak(stream, `${n} again`))
        }
        if (n % 3 === 2) {
          await this.ask('mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { id } } }', { id })
        }
        await stream.complete({ status: n % 3 === 2 ? 'CANCELLED' : 'COMPLETE', finishReason: `${n}` })
        written.set(id, text)
        this.counts.streams += 1
      } catch (error) {
        crash.abort()
        if (!(error instanceof StreamError) || error.code !== 'NOT_FOUND') throw error
      }
    }
    return written
  }

  async #speak(stream: MessageStream<unknown>, about: string): Promise<string> {
    let text = ''
    for (let word = 0; word < 20 + Math.random() * 20; word++) {
      const piece = `${about}/${word} ${['a', 'ü', '語', '😀'][word % 4]} `
      stream.write(piece, word % 10 === 9 ? { word } : undefined)
      text += piece
      this.counts.words += 1
      if (word % 8 !== 0) await this.breathe(60)
    }
    return text
  }

  /**
   * Follows until a message of that client id is there.
   *
   * @param from the beginning, or from what is there when it begins
   */
  async follow(conversationId: string, from: 'beginning' | 'now', last: string): Promise<readonly StormMessage[]> {
    const start = from === 'now' ? await this.read(conversationId) : { messages: [], cursor: '' }
    let messages: readonly StormMessage[] = start.messages
    for await (const event of this.events(conversationId, start.cursor)) {
      const told = messages
      messages = applyEvent(messages, event)
      if (event.__typename === 'MessageUpdated') requireGrowth(told, event.message)
      if (isAppended(event) && event.edge.node.clientId === last) break
    }
    return messages
  }

  /** Everything that is told of a conversation after a cursor, until the feed is complete. */
  async *events(conversationId: string, after: string): AsyncGenerator<ConversationEvent<StormMessage>, void> {
    for await (const event of followConversation<StormMessage>({ ...this.#common(), conversationId, after })) {
      this.counts.events += 1
      yield event
    }
  }

  /** All messages, page by page, and where the conversation stood before the first page was read. */
  async read(conversationId: string): Promise<{ messages: StormMessage[]; cursor: string }> {
    const query = `query ($id: ID!, $after: String) { conversation(id: $id) { cursor messages(first: 100, after: $after) {
      nodes { ${selection} } pageInfo { hasNextPage endCursor }
    } } }`
    const messages: StormMessage[] = []
    let cursor: string | null = null
    for (let after: string | null = null; ; ) {
      const { data }: Answer = await this.ask(query, { id: conversationId, after })
      const { conversation } = data
      cursor ??= conversation.cursor as string
      messages.push(...conversation.messages.nodes)
      const { hasNextPage, endCursor } = conversation.messages.pageInfo
      if (!hasNextPage) return { messages, cursor }
      after = endCursor
    }
  }

  /** Nobody goes on with anything. */
  [Symbol.dispose](): void {
    this.end()
    this.#abandoned.abort()
  }

  #common() {
    return {
      signal: this.#abandoned.signal,
      url: this.#url,
      connectionParams: this.#identity,
      webSocketImpl: WebSocket,
      timeoutMs: 6_000,
      selection,
      onRetry: () => {
        this.counts.reconnects += 1
      },
    }
  }
}

/** What streams only grows, up to its end: no update may take back text that was seen. */
function requireGrowth(told: readonly StormMessage[], { seq, content }: StormMessage): void {
  const before = told[seq - 1]
  if (before?.nextChunk == null || (content ?? '').startsWith(before.content ?? '')) return
  throw new Error(`message ${seq} was ${JSON.stringify(before.content)} and is ${JSON.stringify(content)}`)
}

function isAppended(event: ConversationEvent<StormMessage>) {
  return event.__typename === 'MessageAppended'
}

function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item
}
