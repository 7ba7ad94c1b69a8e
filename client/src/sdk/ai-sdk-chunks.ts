import type { UIMessageChunk } from 'ai'
import { asJson, isRecord } from '../message/json.ts'
import type { MessageChunk } from '../schema/types.ts'
import type { MessageStream } from '../stream/message-stream.ts'

export type StoredChunk = Pick<MessageChunk, 'chunk' | 'text' | 'data'>

/** In characters, of chunks that are no text: beside the text, within what the server takes of one message. */
const mostData = 262_144

/**
 * Writes the chunks of an answer into a message. The text of the answer is the text of the message. Everything else is the
 * data of chunks, which the server keeps until the message has ended: what is more than a message holds is left out here,
 * and is in the parts at the end.
 */
export class ChunkWriter {
  readonly answer: MessageStream
  #openText: string | null = null
  #dataLeft = mostData

  constructor(answer: MessageStream) {
    this.answer = answer
  }

  async write(chunk: UIMessageChunk): Promise<void> {
    if (chunk.type === 'text-start') this.#openText = chunk.id
    const isText = chunk.type === 'text-delta'
    if (isText && chunk.id === this.#openText && chunk.providerMetadata === undefined) this.answer.write(chunk.delta)
    else {
      const data = { aiSdk: asJson(isText ? { ...chunk, delta: '' } : chunk) }
      const size = JSON.stringify(data).length
      const isLeftOut = size > this.#dataLeft
      if (!isLeftOut) this.#dataLeft -= size
      if (isText || !isLeftOut) this.answer.write(isText ? chunk.delta : '', isLeftOut ? undefined : data)
    }
    await this.answer.drained()
  }
}

/** Reads the chunks of a message, of whatever producer, as those of an answer. */
export class ChunkReader {
  /** The number of the chunk that comes next. */
  next = 0
  readonly #messageId: string
  #hasBegun = false
  #text = ''
  #openText: string | null = null

  constructor(messageId: string) {
    this.#messageId = messageId
  }

  *read({ chunk, text, data }: StoredChunk): Generator<UIMessageChunk> {
    // It was read with the stored ones, and comes again as an event.
    if (chunk !== this.next) return
    this.next += 1
    const own = isRecord(data) && isRecord(data.aiSdk) ? (data.aiSdk as UIMessageChunk) : undefined
    if (own === undefined) yield* this.#say(text)
    else {
      if (own.type === 'start') this.#hasBegun = true
      else yield* this.#begin()
      this.#text += text
      if (own.type === 'text-start') this.#openText = own.id
      if (own.type === 'text-end' && own.id === this.#openText) this.#openText = null
      yield own.type === 'text-delta' ? { ...own, delta: text } : own
    }
  }

  /** @param content the text of the message, which has ended, and whose chunks are gone */
  *end(content: string): Generator<UIMessageChunk, undefined> {
    if (content.startsWith(this.#text)) yield* this.#say(content.slice(this.#text.length))
    if (this.#openText !== null) yield { type: 'text-end', id: this.#openText }
  }

  *#begin(): Generator<UIMessageChunk> {
    if (!this.#hasBegun) yield { type: 'start', messageId: this.#messageId }
    this.#hasBegun = true
  }

  *#say(text: string): Generator<UIMessageChunk> {
    if (text === '') return
    yield* this.#begin()
    this.#text += text
    if (this.#openText === null) {
      this.#openText = `text-${this.next}`
      yield { type: 'text-start', id: this.#openText }
    }
    yield { type: 'text-delta', id: this.#openText, delta: text }
  }
}
