import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import * as ours from '../../client/src/index.ts'
import type { Answer } from '../support/api.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'
import { Random } from '../support/random.ts'
import type { Attempt, Following, History, Stored, Told, Writing } from './history.ts'

/** How much of everything there is. */
const conversations = { spoken: 4, streamed: 2 }
/** The longest pause of a writer between two appends. */
const pauseMs = 60
/** Longer than a server makes anybody wait. */
const patienceMs = 40_000

const user = { 'x-user-id': 'ada' }
const last = 'last'
/** What is answered when something is away or too busy. Everything else is a fault. */
const patientCodes = ['UNAVAILABLE', 'RATE_LIMITED']

const appendOne = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { id seq content } } }`
const appendMany = `mutation ($input: AppendMessagesInput!) {
  appendMessages(input: $input) { messages { id seq content } }
}`
const follow = `subscription ($id: ID!, $after: String!) {
  messageAppended(conversationId: $id, after: $after) { cursor node { id seq content } }
}`

/** What was done and seen, for people. */
export interface Counts {
  requests: number
  acknowledged: number
  unanswered: number
  events: number
  streams: number
}

/**
 * People who write, follow and stream while faults happen, and remember what they were told. In each conversation one
 * writer repeats what was not answered, and another one sends everything once and never knows.
 */
export class Load implements Disposable {
  readonly counts: Counts = { requests: 0, acknowledged: 0, unanswered: 0, events: 0, streams: 0 }
  /** Answers that no fault excuses. */
  readonly strange: string[] = []
  readonly ids: { readonly spoken: readonly string[]; readonly streamed: readonly string[] }
  readonly #url: string
  readonly #random: Random
  readonly #library: typeof ours
  readonly #over = new AbortController()
  readonly #abandoned = new AbortController()
  readonly #writings = new Map<string, Writing[]>()
  readonly #writers: Writer[] = []
  readonly #followers: Follower[] = []
  readonly #working: Promise<void>[] = []
  readonly #following: Promise<void>[] = []
  #moved = Promise.withResolvers<void>()

  /** @param name of everything that it writes, used once */
  private constructor(name: string, url: string, random: Random, client: typeof ours) {
    this.#url = url
    this.#library = client
    this.#random = random
    const named = (kind: string, count: number) => Array.from({ length: count }, (_, n) => `${name} ${kind} ${n}`)
    this.ids = { spoken: named('spoken', conversations.spoken), streamed: named('streamed', conversations.streamed) }
  }

  /** Settles when everybody works. @param client the library with which they stream and follow */
  static async begin(
    name: string,
    place: { readonly url: string },
    random: Random,
    client: typeof ours = ours,
  ): Promise<Load> {
    const load = new Load(name, place.url, random, client)
    const create = 'mutation ($id: ID!) { createConversation(input: { id: $id, ifExists: RETURN }) { created } }'
    await Promise.all([...load.ids.spoken, ...load.ids.streamed].map((id) => load.insist(create, { id })))
    for (const id of load.ids.spoken) {
      load.#working.push(load.#write(load.#join(id, 'repeats'), true), load.#write(load.#join(id, 'once'), false))
      const [socket, stream] = [load.#attend(id, 'by a socket'), load.#attend(id, 'by a stream')]
      load.#following.push(load.#follow(socket, (follower) => load.#takeFromSocket(follower)))
      load.#following.push(load.#follow(stream, (follower) => load.#takeFromStream(follower)))
    }
    for (const id of load.ids.streamed) {
      load.#working.push(load.#write(load.#join(id, 'repeats'), true), load.#stream(load.#join(id, 'streams')))
      load.#following.push(load.#view(load.#attend(id, 'by the client')))
    }
    // Whoever waits for them is told; nobody does when a test has failed meanwhile.
    for (const one of [...load.#working, ...load.#following]) one.catch(() => {})
    await load.recovered()
    return load
  }

  /**
   * Settles when each writer of these conversations was answered what it began after now, and each follower has seen it.
   * @returns how long that took, in milliseconds
   */
  async recovered(ids: readonly string[] = [...this.ids.spoken, ...this.ids.streamed]): Promise<number> {
    const begun = performance.now()
    const writers = this.#writers.filter((writer) => ids.includes(writer.conversationId))
    const followers = this.#followers.filter((follower) => ids.includes(follower.conversationId))
    await this.#until(() => writers.every((writer) => writer.begunAt > begun))
    const seqs = new Map(writers.map((writer) => [writer.conversationId, writer.seq]))
    await this.#until(() =>
      followers.every((follower) => follower.seq >= (seqs.get(follower.conversationId) as number)),
    )
    return performance.now() - begun
  }

  /** Settles when a writer was not told what became of an append that it sent. */
  async missed(): Promise<void> {
    const before = this.counts.unanswered
    await this.#until(() => this.counts.unanswered > before)
  }

  /** Reads the last messages of a conversation that fit into so many tokens. */
  async readWindow(): Promise<void> {
    const window = 'query ($id: ID!) { conversation(id: $id) { context(maxTokens: 1000) { messages } } }'
    const { data, errors } = await this.insist(window, { id: this.ids.spoken[0] })
    if (!(data?.conversation.context.messages.length > 0))
      throw new Error(`no window is read: ${JSON.stringify(errors)}`)
  }

  /** The answer; null when nobody knows what became of it. */
  async ask(query: string, variables: object): Promise<Answer | null> {
    this.counts.requests += 1
    try {
      const response = await fetch(`${this.#url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close', ...user },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.any([AbortSignal.timeout(patienceMs), this.#abandoned.signal]),
      })
      const answer = (await response.json()) as Answer
      const code = answer.errors?.[0]?.extensions.code
      return code !== undefined && patientCodes.includes(code) ? null : answer
    } catch {
      this.#abandoned.signal.throwIfAborted()
      return null
    }
  }

  /** As `ask`, again and again. */
  async insist(query: string, variables: object): Promise<Answer> {
    for (;;) {
      const answer = await this.ask(query, variables)
      if (answer !== null) return answer
      await pause(this.#random.below(200))
    }
  }

  /**
   * Appends messages once, with their first 40 characters as client ids. The history has them.
   * @returns whether that was acknowledged
   */
  async appendMany(conversationId: string, contents: readonly string[]): Promise<boolean> {
    const messages = contents.map((content) => ({ role: 'USER', content, clientId: content.slice(0, 40) }))
    const answer = await this.ask(appendMany, { input: { conversationId, ifMissing: 'CREATE', messages } })
    const told: Told[] | undefined = this.#payloadOf(answer)?.messages
    const attempts = contents.map((content, index): Attempt => {
      return { content, clientId: content.slice(0, 40), answers: told ? [told[index] as Told] : [] }
    })
    this.#writingsOf(conversationId).push({ writer: contents[0] as string, attempts })
    return told !== undefined
  }

  /** Lets everybody come to an end. @returns what happened, conversation by conversation */
  async finish(): Promise<History[]> {
    this.#over.abort()
    await Promise.all(this.#working)
    for (const id of [...this.ids.spoken, ...this.ids.streamed]) await this.#append(this.#join(id, last), last, last)
    await Promise.all(this.#following)
    const histories: History[] = []
    for (const [conversationId, writings] of this.#writings) {
      const stored = await this.#read(conversationId)
      const end = stored.length
      const followers = this.#followers.filter((follower) => follower.conversationId === conversationId)
      const followings = followers.map(({ name, seen }): Following => ({ follower: name, after: 0, end, seen }))
      histories.push({ conversationId, stored, writings, followings })
    }
    return histories
  }

  /** Nobody goes on with anything. */
  [Symbol.dispose](): void {
    this.#over.abort()
    this.#abandoned.abort()
  }

  #join(conversationId: string, name: string): Writer {
    const writer: Writer = { conversationId, name, attempts: [], begunAt: 0, seq: 0 }
    if (name !== last) this.#writers.push(writer)
    this.#writingsOf(conversationId).push({ writer: name, attempts: writer.attempts })
    return writer
  }

  #attend(conversationId: string, name: string): Follower {
    const follower: Follower = { conversationId, name, seen: [], cursor: '', seq: 0 }
    this.#followers.push(follower)
    return follower
  }

  async #write(writer: Writer, repeats: boolean): Promise<void> {
    const random = new Random(this.#random.below(2 ** 32))
    for (let n = 0; !this.#over.signal.aborted; n++) {
      const content = `${writer.name} ${n}`
      await this.#append(writer, content, repeats ? content : null)
      const earlier = random.pick(writer.attempts)
      if (repeats && random.chance(0.05)) {
        const answer = await this.#appendOnce(writer, earlier.content, earlier.clientId)
        if (answer !== null) earlier.answers.push(answer)
      }
      await pause(random.below(pauseMs), undefined, { signal: this.#over.signal }).catch(() => {})
    }
  }

  /** With a client id, until it is answered. */
  async #append(writer: Writer, content: string, clientId: string | null): Promise<void> {
    const attempt = { content, clientId, answers: [] as Told[] }
    writer.attempts.push(attempt)
    const begunAt = performance.now()
    for (;;) {
      const answer = await this.#appendOnce(writer, content, clientId)
      if (answer !== null) {
        attempt.answers.push(answer)
        this.#acknowledge(writer, begunAt, answer.seq)
        return
      }
      this.counts.unanswered += 1
      this.#move()
      await pause(this.#random.below(200))
      if (clientId === null) return
    }
  }

  async #appendOnce({ conversationId }: Writer, content: string, clientId: string | null): Promise<Told | null> {
    const message = { role: 'USER', content, clientId }
    const answer = await this.ask(appendOne, { input: { conversationId, ifMissing: 'CREATE', message } })
    return this.#payloadOf(answer)?.message ?? null
  }

  #acknowledge(writer: Writer, begunAt: number, seq: number): void {
    this.counts.acknowledged += 1
    writer.begunAt = begunAt
    writer.seq = seq
    this.#move()
  }

  async #stream(writer: Writer): Promise<void> {
    const random = new Random(this.#random.below(2 ** 32))
    for (let n = 0; !this.#over.signal.aborted; n++) {
      const begunAt = performance.now()
      const clientId = `${writer.name} ${n}`
      const input = {
        conversationId: writer.conversationId,
        clientId,
        ifMissing: 'CREATE',
        timeoutSeconds: 600,
      } as const
      const stream = this.#library.streamMessage<Told>({ ...input, ...this.#client() })
      let content = `${clientId}: `
      stream.write(content)
      for (let word = random.below(12); word >= 0; word--) {
        const text = `${random.pick(['a', 'ü', '語', '😀'])} `
        stream.write(text)
        content += text
        await pause(random.below(pauseMs))
      }
      const attempt = { content, clientId, answers: [] as Told[] }
      writer.attempts.push(attempt)
      const { id, seq, content: stored } = await stream.complete()
      attempt.answers.push({ id, seq, content: stored })
      this.counts.streams += 1
      this.#acknowledge(writer, begunAt, seq)
    }
  }

  /** Follows through however many connections, each of which ends when `take` does. */
  async #follow(follower: Follower, take: (follower: Follower) => Promise<void>): Promise<void> {
    while (follower.seen.at(-1)?.content !== last) {
      await take(follower).catch(() => {})
      this.#abandoned.signal.throwIfAborted()
      await pause(this.#random.below(100))
    }
  }

  async #takeFromSocket(follower: Follower): Promise<void> {
    const wire = await Wire.open(this.#url, user)
    const stop = () => wire.terminate()
    this.#abandoned.signal.addEventListener('abort', stop)
    try {
      wire.subscribe(follow, { id: follower.conversationId, after: follower.cursor })
      for (let isOver = false; !isOver; ) {
        const frame = await wire.receive()
        if (frame?.type === 'next') isOver = this.#see(follower, frame.payload)
        else if (frame?.type !== 'ping') return
      }
    } finally {
      this.#abandoned.signal.removeEventListener('abort', stop)
      wire.terminate()
    }
  }

  async #takeFromStream(follower: Follower): Promise<void> {
    const variables = { id: follower.conversationId, after: follower.cursor }
    await using stream = await EventStreamReader.open(this.#url, { query: follow, variables })
    const stop = () => void stream[Symbol.asyncDispose]()
    this.#abandoned.signal.addEventListener('abort', stop)
    try {
      while (!this.#see(follower, await stream.result()));
    } finally {
      this.#abandoned.signal.removeEventListener('abort', stop)
    }
  }

  /** @returns whether it was the last one, of the conversation or of this connection */
  #see(follower: Follower, answer: Answer): boolean {
    const edge = this.#payloadOf(answer)
    if (edge === null) return true
    follower.seen.push(edge.node)
    follower.cursor = edge.cursor
    follower.seq = edge.node.seq
    this.counts.events += 1
    this.#move()
    return edge.node.content === last
  }

  /** Follows with the client, which puts the states of streamed messages together. */
  async #view(follower: Follower): Promise<void> {
    const shown: Told[] = []
    let messages: readonly Viewed[] = []
    const options = { ...this.#client(), conversationId: follower.conversationId, after: '' }
    for await (const event of this.#library.followConversation<Viewed>(options)) {
      messages = this.#library.applyEvent(messages, event as ours.ConversationEvent<Viewed>)
      this.counts.events += 1
      if (event.__typename !== 'MessageAppended') continue
      const { node } = event.edge
      shown.push(node)
      follower.seq = node.seq
      this.#move()
      if (node.content === last) break
    }
    this.#abandoned.signal.throwIfAborted()
    follower.seen.push(...shown.map(({ id, seq }) => ({ id, seq, content: messages[seq - 1]?.content ?? null })))
  }

  async #read(conversationId: string): Promise<Stored[]> {
    const query = `query ($id: ID!, $after: String) { conversation(id: $id) { messages(first: 100, after: $after) {
      nodes { id seq content clientId } pageInfo { hasNextPage endCursor }
    } } }`
    const messages: Stored[] = []
    for (let after: string | null = null; ; ) {
      const { data }: Answer = await this.insist(query, { id: conversationId, after })
      // Nobody was told that it is there.
      if (data.conversation === null) return messages
      messages.push(...data.conversation.messages.nodes)
      const { hasNextPage, endCursor } = data.conversation.messages.pageInfo
      if (!hasNextPage) return messages
      after = endCursor
    }
  }

  /** What the one field of an answer holds; null when it was not done, or nobody knows whether it was. */
  // biome-ignore lint/suspicious/noExplicitAny: it is read as callers of an untyped API do.
  #payloadOf(answer: Answer | null): any {
    if (answer === null) return null
    const [error] = answer.errors ?? []
    if (error === undefined) return Object.values(answer.data)[0]
    if (!patientCodes.includes(error.extensions.code)) this.strange.push(JSON.stringify(error))
    return null
  }

  #writingsOf(conversationId: string): Writing[] {
    const known = this.#writings.get(conversationId)
    if (known !== undefined) return known
    const writings: Writing[] = []
    this.#writings.set(conversationId, writings)
    return writings
  }

  #client() {
    return {
      signal: this.#abandoned.signal,
      url: `${this.#url}/graphql`,
      connectionParams: user,
      webSocketImpl: WebSocket,
      timeoutMs: 6_000,
      selection: 'id seq content nextChunk',
    }
  }

  async #until(isTrue: () => boolean): Promise<void> {
    const gone = Promise.all([...this.#working, ...this.#following])
    gone.catch(() => {})
    while (!isTrue()) {
      this.#abandoned.signal.throwIfAborted()
      await Promise.race([this.#moved.promise, gone])
    }
  }

  #move(): void {
    this.#moved.resolve()
    this.#moved = Promise.withResolvers()
  }
}

interface Writer {
  readonly conversationId: string
  readonly name: string
  readonly attempts: (Attempt & { readonly answers: Told[] })[]
  /** When it began what was acknowledged last, and the seq of that. */
  begunAt: number
  seq: number
}

interface Follower {
  readonly conversationId: string
  readonly name: string
  readonly seen: Told[]
  cursor: string
  /** Of the last one that it has seen. */
  seq: number
}

interface Viewed extends Told {
  readonly nextChunk: number | null
}
