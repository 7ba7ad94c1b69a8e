import type { MessageInput } from '../schema/types.ts'

/** `localStorage`, or what is like it. */
export interface UnsentStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/** A message that is not known to be stored. */
export interface UnsentMessage {
  readonly input: MessageInput & { readonly clientId: string }
  readonly writtenAt: string
  /** Why it was refused; null: it waits to be sent. */
  readonly problem: string | null
}

/** The key of a conversation's unsent messages in the storage. */
export function unsentKey(conversationId: string): string {
  return `colloquy:unsent:${conversationId}`
}

/** What was written in a conversation and is not stored yet, in the order in which it was written. */
export class Unsent {
  readonly #storage: UnsentStorage | null
  readonly #key: string
  #list: readonly UnsentMessage[]

  constructor(storage: UnsentStorage | null, conversationId: string) {
    this.#storage = storage
    this.#key = unsentKey(conversationId)
    this.#list = read(storage, this.#key)
  }

  get list(): readonly UnsentMessage[] {
    return this.#list
  }

  add(input: MessageInput): void {
    const added = {
      input: { ...input, clientId: crypto.randomUUID() },
      writtenAt: new Date().toISOString(),
      problem: null,
    }
    this.#change((list) => [...list, added])
  }

  remove(clientId: string | null): void {
    if (this.has(clientId)) this.#change((list) => list.filter(({ input }) => input.clientId !== clientId))
  }

  has(clientId: string | null): boolean {
    return this.#list.some(({ input }) => input.clientId === clientId)
  }

  /** @param problem null: it is to be sent again */
  mark(clientId: string, problem: string | null): void {
    this.#change((list) => list.map((one) => (one.input.clientId === clientId ? { ...one, problem } : one)))
  }

  /** Other windows keep theirs in the same place. */
  #change(change: (list: readonly UnsentMessage[]) => readonly UnsentMessage[]): void {
    this.#list = change(this.#list)
    const kept = change(read(this.#storage, this.#key))
    try {
      if (kept.length === 0) this.#storage?.removeItem(this.#key)
      else this.#storage?.setItem(this.#key, JSON.stringify(kept))
    } catch {
      // A storage that is full keeps nothing more. The message is still sent from memory.
    }
  }
}

function read(storage: UnsentStorage | null, key: string): UnsentMessage[] {
  try {
    const list: unknown = JSON.parse(storage?.getItem(key) ?? '[]')
    return Array.isArray(list) ? list : []
  } catch {
    return []
  }
}
