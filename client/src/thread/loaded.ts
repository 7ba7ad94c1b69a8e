import type { MessageSiblings } from '../schema/types.ts'
import type { Update } from './reactions.ts'
import type { ThreadMessage } from './shown-message.ts'

export interface LoadedEdge {
  /** null: it is not known. */
  readonly cursor: string | null
  readonly node: ThreadMessage
}

/** The messages of a conversation that were read so far, of any branch, each in the newest state that was seen. */
export class Loaded {
  /** The `id` of the conversation, which is the `parentId` of what continues no message. */
  conversation: string | null = null
  readonly #messages = new Map<string, ThreadMessage>()
  readonly #cursors = new Map<string, string>()
  /** What the viewer has changed and the server has not answered yet. */
  readonly #over: Update

  constructor(over: Update) {
    this.#over = over
  }

  has(id: string): boolean {
    return this.#messages.has(id)
  }

  cursorOf(id: string): string | null {
    return this.#cursors.get(id) ?? null
  }

  put({ cursor, node }: LoadedEdge): void {
    if (cursor !== null) this.#cursors.set(node.id, cursor)
    const known = this.#messages.get(node.id)
    if (known === undefined || !isNewer(known, node)) this.#messages.set(node.id, this.#over(node))
  }

  get(id: string): ThreadMessage | undefined {
    return this.#messages.get(id)
  }

  /** A message that was not read is left. */
  change(id: string, update: Update): void {
    const message = this.#messages.get(id)
    if (message !== undefined) this.#messages.set(id, update(message))
  }

  /** Nobody reads a deleted message in the replies to it either. */
  forgetQuoted(id: string): void {
    for (const [reply, message] of this.#messages) {
      if (message.replyTo?.id === id) this.#messages.set(reply, { ...message, replyTo: null })
    }
  }

  /** A state of a message that was not read yet is left: it comes with its page. */
  update(node: ThreadMessage): void {
    if (this.#messages.has(node.id)) this.put({ cursor: null, node })
  }

  setSiblings(id: string, siblings: MessageSiblings): void {
    this.change(id, (message) => ({ ...message, siblings }))
  }

  /** @returns gap: a chunk before it is missing, so the message has to be read again */
  addText({
    messageId,
    chunk,
    text,
  }: {
    readonly messageId: string
    readonly chunk: number
    readonly text: string
  }): 'gap' | null {
    const message = this.#messages.get(messageId)
    // What comes before the state that holds it already, and what came before the end of the stream.
    if (message === undefined || message.nextChunk === null || chunk < message.nextChunk) return null
    if (chunk > message.nextChunk) return 'gap'
    const content = (message.content ?? '') + text
    this.#messages.set(messageId, { ...message, content, nextChunk: chunk + 1 })
    return null
  }

  /** What was read of the path that ends with a message, oldest first. */
  path(leaf: string): ThreadMessage[] {
    const path: ThreadMessage[] = []
    for (let next = this.#messages.get(leaf); next !== undefined; next = this.#messages.get(next.parentId)) {
      path.push(next)
    }
    return path.reverse()
  }

  /** Whether the path goes on before its first message. */
  hasEarlier([first]: readonly ThreadMessage[]): boolean {
    return first !== undefined && first.parentId !== this.conversation
  }
}

/** Text that is streamed moves no revision. */
function isNewer(known: ThreadMessage, read: ThreadMessage): boolean {
  if (known.revision !== read.revision) return BigInt(known.revision) > BigInt(read.revision)
  return (known.nextChunk ?? 0) > (read.nextChunk ?? 0)
}
