import { pause } from '../connection/connection.ts'
import type { ConversationEvent, FeedbackRating, Message, MessageInput, MessageSiblings } from '../schema/types.ts'
import { Loaded, type LoadedEdge } from './loaded.ts'
import { People, type PeopleHead } from './people.ts'
import { Reactions } from './reactions.ts'
import { Reading } from './reading.ts'
import { mainOf, readApprovalId, type ShownMessage, shownId, type ThreadMessage, turnsOf } from './shown-message.ts'
import type {
  CallAnswer,
  FeedbackReason,
  Thread,
  ThreadOptions,
  ThreadSnapshot,
  ThreadStore,
  Written,
} from './thread.ts'
import * as common from './thread-queries.ts'
import { ask, follow, ThreadRefusal } from './thread-requests.ts'
import { TurnCache } from './turn-cache.ts'
import { Typing } from './typing.ts'
import { Unsent, type UnsentMessage } from './unsent.ts'

/**
 * A conversation for a screen, as assistant-ui's `useExternalStoreRuntime` takes it: the newest page of the branch that is
 * shown, earlier pages when they are asked for, everything live, and what was written here at once.
 *
 * The screen shows the active path, and goes with it when somebody sends. Looking at another branch is a matter of this
 * screen; a message that is sent from there continues that branch, and makes it the active one.
 *
 * What is written is sent in its order, under a client id, until the server has said what became of it: so it is stored
 * once, whatever happens to the connection. Begins at once, and goes on until it is closed.
 */
export function openThread(options: ThreadOptions): Thread {
  return new ConversationThread(options)
}

/**
 *     loading ──▶ ready ──▶ deleted
 *        ▲ │
 *   sent │ ▼
 *     missing
 */
class ConversationThread implements Thread {
  readonly #options: ThreadOptions
  readonly #over = new AbortController()
  readonly #listeners = new Set<() => void>()
  readonly #queries: common.ThreadQueries
  readonly #unsent: Unsent
  readonly #reactions = new Reactions()
  readonly #loaded = new Loaded((message) => this.#reactions.over(message))
  readonly #turns = new TurnCache()
  readonly #typing = new Typing((isTyping) =>
    this.#ask(common.setTyping, { input: { conversationId: this.#id, isTyping } }),
  )
  /** What the store has beside the messages, always the same. */
  readonly #more: Pick<ThreadStore, 'onRespondToToolApproval' | 'adapters'>
  #viewer: string | null = null
  #people: People | null = null
  #reading: Reading | null = null
  #isCounting = false
  #status: ThreadSnapshot['status'] = 'loading'
  #title: string | null = null
  #activeLeaf: string | null = null
  /** The last message of the branch that is looked at; null: the active path is. */
  #looked: string | null = null
  /** The active leaf when that branch was chosen. */
  #lookedFrom: string | null = null
  /** Where the shown path is cut, though it goes on; null: it is shown to its end. */
  #cut: string | null = null
  /** The last message of what was shown last: it stays until all of another path is there. */
  #shownLeaf: string | null = null
  #isSending = false
  #isScheduled = false
  #snapshot: ThreadSnapshot
  #stopFollowing: () => void = () => {}

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#queries = common.threadQueries(options.more ?? [])
    this.#more = this.#moreOfStore()
    this.#unsent = new Unsent(options.storage ?? null, options.conversationId)
    this.#snapshot = this.#show()
    this.#inBackground(this.#begin())
    this.#inBackground(this.#send())
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly snapshot = (): ThreadSnapshot => this.#snapshot

  readonly look = async (messageId: string): Promise<void> => {
    await this.#loadBranch(messageId)
    const leaf = await this.#leafBelow(messageId)
    if (!this.#loaded.has(leaf)) await this.#loadBranch(leaf)
    this.#looked = leaf === this.#activeLeaf ? null : leaf
    this.#lookedFrom = this.#activeLeaf
    this.#cut = null
    this.#shownLeaf = leaf
    this.#changed()
  }

  readonly reveal = async (messageId: string): Promise<string | null> => {
    try {
      if (this.#shownAs(messageId) === null) await this.#cutAround(messageId)
    } catch (error) {
      if (!(error instanceof ThreadRefusal)) throw error
    }
    return this.#shownAs(messageId)
  }

  readonly showNewest = (): void => {
    this.#cut = null
    this.#goTo(this.#looked ?? this.#activeLeaf)
    this.#changed()
  }

  readonly #showActive = (): void => {
    this.#looked = null
    this.showNewest()
  }

  readonly answerCall = async (approvalId: string, { approved, reason = null }: CallAnswer): Promise<void> => {
    await this.#change(this.#queries.answerCall, { ...readApprovalId(approvalId), approved, reason })
  }

  readonly react = async (id: string, emoji: string, isOn: boolean): Promise<void> => {
    // What was shown last may be older than what was wished since.
    const turn = this.#turns.messagesOf(id).map((message) => this.#loaded.get(message.id) ?? message)
    // A turn may have been longer, or shorter, when the viewer put the emoji on it.
    const has = ({ reactions }: ThreadMessage) => reactions?.some((one) => one.emoji === emoji && one.viewerReacted)
    const message = isOn ? turn.length > 0 && mainOf(turn) : turn.find(has)
    if (!message) return
    const wish = { messageId: message.id, emoji, isOn }
    const change = (update: (message: ThreadMessage) => ThreadMessage) => {
      this.#loaded.change(message.id, update)
      this.#changed()
    }
    const query = isOn ? this.#queries.addReaction : this.#queries.removeReaction
    await this.#reactions.want(wish, change, () => this.#change(query, { messageId: message.id, emoji }))
  }

  readonly rate = async (id: string, rating: FeedbackRating | null, why: FeedbackReason = {}): Promise<void> => {
    const turn = this.#turns.messagesOf(id)
    if (turn.length === 0) return
    const { id: messageId, feedback: before } = mainOf(turn)
    const { reason = null, comment = null } = why
    const show = (feedback: ThreadMessage['feedback']) => {
      this.#loaded.change(messageId, (message) => ({ ...message, feedback }))
      this.#changed()
    }
    show(rating === null ? null : { rating, reason, comment })
    try {
      await this.#change(this.#queries.setFeedback, { messageId, rating, reason, comment })
    } catch (error) {
      show(before)
      throw error
    }
  }

  readonly takeOver = (): Promise<void> => this.#handOver(this.#queries.takeOver, 'takeOver')

  readonly handBack = (): Promise<void> => this.#handOver(this.#queries.handBack, 'handBack')

  readonly read = (id: string): void => {
    const last = this.#turns.messagesOf(id).at(-1)
    if (last !== undefined) this.#reading?.reads(last.seq)
  }

  readonly type = (isTyping: boolean): void => {
    if (!isTyping) this.#typing.rests()
    else if (this.#people?.isWatched) this.#typing.types()
  }

  readonly retry = (id: string): void => {
    this.#unsent.mark(id, null)
    this.#changed()
    this.#inBackground(this.#send())
  }

  readonly discard = (id: string): void => {
    this.#unsent.remove(id)
    this.#changed()
  }

  readonly close = (): void => {
    this.#typing.stops()
    this.#over.abort()
    this.#stopFollowing()
    this.#listeners.clear()
  }

  // Reading

  /** Reads the newest page and follows from before it, anew as often as it takes. */
  async #begin(): Promise<void> {
    this.#stopFollowing()
    const { viewer, conversation } = (await this.#ask(this.#queries.head, { id: this.#id })) as unknown as Head
    this.#viewer = viewer.userId
    if (conversation === null) {
      this.#people = null
      this.#become('missing')
      return
    }
    const { viewerRole = null, takenOverBy = null, participants = null, readSeq } = conversation
    if (this.#options.more?.includes('people')) {
      this.#people = new People(viewer.userId, { viewerRole, takenOverBy, participants })
    }
    this.#reading ??= new Reading(readSeq ?? 0, (seq) =>
      this.#ask(common.markRead, { input: { conversationId: this.#id, seq } }),
    )
    this.#loaded.conversation = conversation.id
    this.#title = conversation.title
    this.#activeLeaf = conversation.activeLeaf?.id ?? null
    this.#looked = null
    this.#cut = null
    if (this.#activeLeaf !== null) await this.#loadBranch(this.#activeLeaf)
    this.#shownLeaf = this.#activeLeaf
    this.#follow(conversation.cursor)
    this.#become('ready')
  }

  #follow(after: string): void {
    const variables = { id: this.#id, after }
    this.#stopFollowing = follow(this.#options.client, this.#queries.events, variables, {
      next: (data) => this.#take(data.conversationEvents as Event),
      complete: () => this.#become('deleted'),
      // The cursor may be of an earlier conversation, or the server could not read an event: all is read anew.
      lost: (retryAfterMs) => this.#inBackground(pause(retryAfterMs, this.#over.signal).then(() => this.#begin())),
    })
  }

  #take(event: Event): void {
    if (this.#people?.take(event) === 'stranger') this.#inBackground(this.#readPeople())
    switch (event.__typename) {
      case 'MessageAppended':
        for (const { id, siblings } of event.changedSiblings ?? []) this.#loaded.setSiblings(id, siblings)
        this.#takeAppended(event.edge)
        break
      case 'MessageDeleted':
        this.#loaded.forgetQuoted(event.message.id)
        this.#loaded.update(event.message)
        break
      case 'MessageUpdated':
        this.#loaded.update(event.message)
        break
      case 'MessageTextAppended':
        if (this.#loaded.addText(event) === 'gap') this.#inBackground(this.#loadBranch(event.messageId))
        break
      case 'ConversationUpdated':
        this.#title = event.conversation.title
        this.#activeLeaf = event.conversation.activeLeaf?.id ?? null
        if (this.#looked === this.#activeLeaf) this.#looked = null
        this.#people?.become(event.conversation)
        this.#goTo(this.#looked ?? this.#activeLeaf)
        break
      case 'ParticipantsChanged':
        this.#people?.become(event.conversation)
        break
      case 'ReadMarkersChanged':
        this.#inBackground(this.#countReaders())
        break
      case 'ConversationDeleted':
        this.#status = 'deleted'
        break
    }
    this.#changed()
  }

  #takeAppended(edge: LoadedEdge): void {
    const { id, parentId, seq, author } = edge.node
    this.#put(edge)
    if (author.kind === 'USER' && author.userId === this.#viewer) this.#reading?.wrote(seq)
    this.#activeLeaf = id
    if (this.#looked === parentId) this.#looked = null
    this.#goTo(this.#looked ?? id)
  }

  #put(edge: LoadedEdge): void {
    this.#loaded.put(edge)
    this.#people?.meet(edge.node)
    this.#unsent.remove(edge.node.clientId)
  }

  /** Shows another path once enough of it is there. */
  #goTo(leaf: string | null): void {
    if (this.#cut !== null) return
    if (leaf === null || leaf === this.#shownLeaf || this.#isEnough(leaf)) {
      this.#shownLeaf = leaf
      return
    }
    const shown = this.#loadBranch(leaf).then(() => {
      // Meanwhile it may be another one.
      if (leaf === (this.#looked ?? this.#activeLeaf)) this.#shownLeaf = leaf
      this.#changed()
    })
    this.#inBackground(shown)
  }

  #isEnough(leaf: string): boolean {
    const path = this.#loaded.path(leaf)
    return path.length > 0 && (path.length >= this.#pageSize || !this.#loaded.hasEarlier(path))
  }

  async #loadEarlier(): Promise<void> {
    const leaf = this.#shownLeaf
    const [first] = this.#path()
    const cursor = first === undefined ? null : this.#loaded.cursorOf(first.id)
    if (leaf !== null && cursor !== null) await this.#loadBranch(leaf, cursor)
  }

  async #loadBranch(branch: string, before: string | null = null): Promise<void> {
    const variables = { id: this.#id, branch, before, last: this.#pageSize }
    const { conversation } = (await this.#ask(this.#queries.page, variables)) as unknown as Paged
    for (const edge of conversation?.messages?.edges ?? []) this.#put(edge)
    this.#changed()
  }

  /** The newest message that continues a message, through however many others; the active leaf, if it does. */
  async #leafBelow(messageId: string): Promise<string> {
    const below = new Set([messageId])
    let leaf = messageId
    let after: string | null = this.#loaded.cursorOf(messageId)
    while (after !== null) {
      const { conversation } = (await this.#ask(common.parents, { id: this.#id, after })) as unknown as Paged
      const { nodes = [], pageInfo } = conversation?.messages ?? {}
      for (const { id, parentId } of nodes) {
        if (!below.has(parentId)) continue
        below.add(id)
        leaf = id
      }
      after = pageInfo?.hasNextPage ? pageInfo.endCursor : null
    }
    return this.#activeLeaf !== null && below.has(this.#activeLeaf) ? this.#activeLeaf : leaf
  }

  /** Shows the path up to a page behind a message of it, and another branch where the message is of another one. */
  async #cutAround(messageId: string): Promise<void> {
    await this.#loadBranch(messageId)
    await this.#cutBehind(messageId)
    if (this.#cut === messageId) {
      await this.look(messageId)
      if (this.#shownAs(messageId) === null) await this.#cutBehind(messageId)
    }
    // By then what has changed is shown.
    await new Promise<void>((resolve) => schedule(this.#options, resolve))
  }

  async #cutBehind(messageId: string): Promise<void> {
    this.#cut = messageId
    await this.#loadLater()
  }

  /** Moves the cut by a page. It stays where the branch that is looked at does not go on behind it. */
  async #loadLater(): Promise<void> {
    const cut = this.#cut
    const branch = this.#looked ?? this.#activeLeaf
    if (cut === branch) this.showNewest()
    const after = cut === null ? null : this.#loaded.cursorOf(cut)
    if (after === null || cut === branch) return
    const variables = { id: this.#id, branch, after, first: this.#pageSize }
    const { conversation } = (await this.#ask(this.#queries.laterPage, variables)) as unknown as Paged
    const edges = conversation?.messages?.edges ?? []
    for (const edge of edges) this.#put(edge)
    const last = edges.at(-1)?.node.id
    if (this.#cut !== cut || last === undefined || edges[0]?.node.parentId !== cut) return
    this.#cut = last
    this.#shownLeaf = last
    if (last === (this.#looked ?? this.#activeLeaf)) this.showNewest()
    this.#changed()
  }

  async #readPeople(): Promise<void> {
    const { conversation } = (await this.#ask(common.people, { id: this.#id })) as unknown as Shared
    this.#people?.know(conversation?.participants ?? null)
    this.#changed()
  }

  /** Of many people the feed tells nobody by name: how many of them have read the last message is asked. */
  async #countReaders(): Promise<void> {
    const people = this.#people
    if (!people?.isCrowd || this.#isCounting) return
    this.#isCounting = true
    try {
      for (let seq = this.#path().at(-1)?.seq; seq !== undefined; ) {
        const { conversation } = (await this.#ask(common.readCount, { id: this.#id, seq })) as unknown as Counted
        people.counted(seq, conversation?.message?.readBy?.count ?? 0)
        const last = this.#path().at(-1)?.seq
        seq = last === seq ? undefined : last
      }
    } finally {
      this.#isCounting = false
    }
    this.#changed()
  }

  // Writing

  /** A change of one message, whose answer is the message. */
  async #change(query: string, input: Record<string, unknown>): Promise<void> {
    const [payload] = Object.values(await this.#ask(query, { input })) as { readonly message: ThreadMessage }[]
    if (payload !== undefined) this.#loaded.update(payload.message)
    this.#changed()
  }

  async #handOver(query: string, name: 'takeOver' | 'handBack'): Promise<void> {
    const data = await this.#ask(query, { input: { conversationId: this.#id } })
    const { conversation } = data[name] as { conversation: Pick<PeopleHead, 'takenOverBy'> }
    this.#people?.become({ takenOverBy: conversation.takenOverBy })
    this.#changed()
  }

  async #write(input: MessageInput): Promise<void> {
    this.#typing.stops()
    if (this.#cut !== null) this.showNewest()
    this.#unsent.add({ ...this.#options.message, ...input })
    this.#changed()
    this.#inBackground(this.#send())
  }

  /** One message after the other, and each until the server has said what became of it. */
  async #send(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    for (;;) {
      const next = this.#unsent.list.find(({ problem }) => problem === null)
      if (next === undefined) break
      await this.#sendOne(next)
    }
    this.#isSending = false
  }

  async #sendOne({ input }: UnsentMessage): Promise<void> {
    const { newConversation } = this.#options
    const isNew = this.#status === 'missing' || this.#status === 'loading'
    const appended = { conversationId: this.#id, message: input }
    try {
      const data =
        newConversation === undefined || !isNew
          ? await this.#ask(this.#queries.append, { input: appended })
          : await this.#ask(this.#queries.appendToNew, {
              create: { id: this.#id, ifExists: 'RETURN', ...newConversation(textOf(input)) },
              input: appended,
            })
      const { messageEdge, replayed } = data.appendMessage as { messageEdge: LoadedEdge; replayed: boolean }
      if (this.#status === 'missing') await this.#begin()
      // The feed may tell it later than this answer. What an earlier call has stored may have others after it.
      if (!replayed && this.#unsent.has(input.clientId)) this.#takeAppended(messageEdge)
      else this.#unsent.remove(input.clientId)
    } catch (error) {
      if (!(error instanceof ThreadRefusal)) throw error
      this.#unsent.mark(input.clientId, error.message)
    }
    this.#changed()
  }

  async #sendLeaf(messageId: string): Promise<void> {
    this.#looked = null
    await this.#ask(common.setLeaf, { input: { messageId } })
  }

  // Showing

  #show(): ThreadSnapshot {
    const path = this.#path()
    const stored = this.#turns.show(path, this.#viewer)
    const later = this.#cut === null ? null : () => this.#loadLater()
    const isElsewhere = this.#looked !== null && this.#activeLeaf !== this.#lookedFrom
    const messages = this.#withUnsent(stored)
    const turns = () => stored.map(({ id }) => ({ id, messages: this.#turns.messagesOf(id) }))
    return {
      status: this.#status,
      title: this.#title,
      later,
      elsewhere: isElsewhere ? this.#showActive : null,
      people: this.#people?.show(turns()) ?? null,
      store: {
        messages,
        convertMessage: asItIs,
        isLoading: this.#status === 'loading',
        isRunning: messages.at(-1)?.status?.type === 'running',
        hasEarlier: this.#loaded.hasEarlier(path),
        onNew: (written) => this.#write({ ...toInput(written), ...this.#lookedParent(), ...this.#repliedBy(written) }),
        onEdit: async (written) => {
          const [edited] = this.#turns.messagesOf(written.sourceId ?? '')
          const { parentId, replyTo } = edited ?? {}
          if (edited !== undefined)
            await this.#write({ ...toInput(written), parentId, ...(replyTo && { replyTo: replyTo.id }) })
        },
        onReload: async (parentId) => {
          const question = this.#turns.messagesOf(parentId ?? '').at(-1)
          if (question !== undefined) await this.#sendLeaf(question.id)
        },
        onCancel: async () => {
          const running = path.filter(({ status }) => status === 'STREAMING')
          await Promise.all(running.map(({ id }) => this.#ask(common.stop, { input: { messageId: id } })))
        },
        onLoadEarlier: () => this.#loadEarlier(),
        ...this.#more,
      },
    }
  }

  #moreOfStore(): Pick<ThreadStore, 'onRespondToToolApproval' | 'adapters'> {
    const more = this.#options.more ?? []
    return {
      ...(more.includes('approvals') && {
        onRespondToToolApproval: ({ approvalId, ...answer }) => this.answerCall(approvalId, answer),
      }),
      ...(more.includes('feedback') && {
        adapters: {
          feedback: {
            submit: ({ message, type, comment = null }) =>
              this.#inBackground(this.rate(message.id, type === 'positive' ? 'UP' : 'DOWN', { comment })),
          },
        },
      }),
    }
  }

  #path(): ThreadMessage[] {
    return this.#shownLeaf === null ? [] : this.#loaded.path(this.#shownLeaf)
  }

  /** The id of the shown message that a message is part of; null: it is not on the path. */
  #shownAs(messageId: string): string | null {
    const [first] = turnsOf(this.#path()).find((turn) => turn.some(({ id }) => id === messageId)) ?? []
    return first === undefined ? null : shownId(first)
  }

  /** The message that the composer quotes. */
  #repliedBy({ metadata }: Written): { replyTo?: string } {
    const quote = metadata?.custom?.quote as { readonly messageId?: string } | undefined
    const turn = this.#turns.messagesOf(quote?.messageId ?? '')
    return turn.length === 0 ? {} : { replyTo: mainOf(turn).id }
  }

  /** A branch that is looked at is continued by name; the active path is continued wherever it ends by then. */
  #lookedParent(): { parentId?: string } {
    return this.#looked === null ? {} : { parentId: this.#looked }
  }

  /** What is written and not stored stands where it will be. */
  #withUnsent(stored: readonly ShownMessage[]): readonly ShownMessage[] {
    let shown = stored
    for (const unsent of this.#unsent.list) {
      const parent = unsent.input.parentId
      if (parent) {
        const end = shown.findIndex(({ id }) => this.#turns.messagesOf(id).some((one) => one.id === parent))
        if (end >= 0 || parent === this.#loaded.conversation) shown = shown.slice(0, end + 1)
      }
      shown = [...shown, this.#turns.showUnsent(unsent, this.#loaded.get(unsent.input.replyTo ?? '') ?? null)]
    }
    return shown
  }

  #become(status: ThreadSnapshot['status']): void {
    this.#status = status
    this.#changed()
  }

  #changed(): void {
    if (this.#isScheduled || this.#over.signal.aborted) return
    this.#isScheduled = true
    schedule(this.#options, () => {
      this.#isScheduled = false
      if (this.#over.signal.aborted) return
      this.#snapshot = this.#show()
      for (const listener of this.#listeners) listener()
    })
  }

  /** What the end of the thread breaks off is no fault. */
  #inBackground(work: Promise<void>): void {
    work.catch((error) => {
      if (!this.#over.signal.aborted) throw error
    })
  }

  /** @throws ThreadRefusal, or the reason of the signal when the thread is over */
  #ask(query: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
    return ask(this.#options.client, query, variables, this.#over.signal)
  }

  get #id(): string {
    return this.#options.conversationId
  }

  get #pageSize(): number {
    return this.#options.pageSize ?? 30
  }
}

interface Head {
  readonly viewer: { readonly userId: string }
  readonly conversation:
    | (Partial<PeopleHead> & {
        readonly id: string
        readonly title: string | null
        readonly cursor: string
        readonly activeLeaf: { readonly id: string } | null
        readonly readSeq?: number | null
      })
    | null
}

interface Shared {
  readonly conversation: Pick<PeopleHead, 'participants'> | null
}

interface Counted {
  readonly conversation: { readonly message: { readonly readBy: { readonly count: number } | null } | null } | null
}

interface Paged {
  readonly conversation: {
    readonly messages?: {
      readonly edges?: readonly LoadedEdge[]
      readonly nodes?: readonly Pick<Message, 'id' | 'parentId'>[]
      readonly pageInfo?: { readonly hasNextPage: boolean; readonly endCursor: string }
    } | null
  } | null
}

type Event = ConversationEvent<ThreadMessage> & {
  readonly changedSiblings?: readonly { readonly id: string; readonly siblings: MessageSiblings }[] | null
  readonly conversation?: Partial<PeopleHead>
}

function asItIs(message: ShownMessage): ShownMessage {
  return message
}

/** A message of text alone is stored as text, and one with pictures as the content of OpenAI's chat completions. */
function toInput({ content, attachments = [] }: Written): MessageInput {
  const written = [...content, ...attachments.flatMap((attachment) => attachment.content)]
  const text = written.flatMap((part) => (part.type === 'text' ? [String(part.text)] : [])).join('\n')
  const pictures = written.flatMap((part) => (part.type === 'image' ? [String(part.image)] : []))
  if (pictures.length === 0) return { role: 'USER', content: text }
  const parts = pictures.map((url) => ({ type: 'image_url', image_url: { url } }))
  return { role: 'USER', partsFormat: 'OPENAI_CHAT', parts: text === '' ? parts : [{ type: 'text', text }, ...parts] }
}

function textOf({ content, parts }: MessageInput): string {
  const [first] = (parts ?? []) as { readonly text?: string }[]
  return content ?? first?.text ?? ''
}

/** Without frames, as on a server, the changes of one turn of the event loop go together. */
function schedule(options: ThreadOptions, work: () => void): void {
  const { requestAnimationFrame = setTimeout } = globalThis as { requestAnimationFrame?: (work: () => void) => unknown }
  if (options.schedule === undefined) requestAnimationFrame(work)
  else options.schedule(work)
}
