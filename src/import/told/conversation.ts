import { Fault } from '../fault.ts'
import type { Told } from './told.ts'

/** Part of a message as the API's `MessageInput` takes it. */
export type Input = Readonly<Record<string, unknown>>

/** A message of a file. */
export interface ReadMessage {
  /** Where it stands in its conversation, for example `messages[3]`. */
  readonly place: string
  /** The same whenever the file is imported, so that the message is stored once. */
  readonly clientId: string
  /** The client id of the message that it continues; null: it continues none. Absent: the message before it. */
  readonly parent?: string | null
  /** When it was written, by RFC 3339; null: the file does not say. */
  readonly time: string | null
  readonly input: Input
}

/** A conversation of a file. A parent comes before the messages that continue it. */
export interface ReadConversation {
  readonly id: string
  readonly title: string | null
  readonly time: string | null
  readonly metadata: Input
  readonly messages: readonly ReadMessage[]
  /** The client id of the message that ends the active path; null: the last message. */
  readonly leaf: string | null
}

export interface Format {
  /** As `--format` names it. */
  readonly name: string
  /** Whether a value is a conversation of this format. */
  fits(value: unknown): boolean
  /**
   * Reads a conversation. A message that cannot be read is told, and the others are read.
   *
   * @throws Fault if nothing of it can be read
   */
  read(value: unknown, told: Told): ReadConversation
}

/** What a reader says of one message. */
export interface ReadItem {
  readonly input: Input
  readonly time?: string | null
  /** Absent: the client id is made from the place. */
  readonly clientId?: string | null
  readonly parent?: string | null
}

/**
 * Reads each item of a list. An item that is a Fault has been found faulty before.
 *
 * @param name of the list: the places are `name[0]`, `name[1]` …
 * @param idPrefix of the client ids
 */
export function readEach(
  items: readonly unknown[],
  name: string,
  told: Told,
  read: (item: unknown, index: number) => ReadItem,
  idPrefix = 'import:',
): ReadMessage[] {
  const messages: ReadMessage[] = []
  for (const [index, item] of items.entries()) {
    const place = `${name}[${index}]`
    told.attempt(place, () => {
      if (item instanceof Fault) throw item
      const { clientId, time, ...rest } = read(item, index)
      messages.push({ ...rest, place, clientId: clientId ?? `${idPrefix}${index}`, time: time ?? null })
    })
  }
  return messages
}
