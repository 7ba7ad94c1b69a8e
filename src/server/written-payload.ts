import type { FormattedResult } from './subscribe.ts'

const texts = new WeakMap<FormattedResult, string>()

/** The result as JSON, written once however often it is sent. */
export function textOf(result: FormattedResult): string {
  const text = texts.get(result) ?? JSON.stringify(result)
  texts.set(result, text)
  return text
}

/** Stands where the payload of a message is to be written, for graphql-ws writes its messages itself. */
const mark = '\u0001payload\u0001'
const markAsJson = JSON.stringify(mark)
let written = ''

/** A payload that is not written again: `withPayload` puts its text into the message. */
export class WrittenPayload {
  readonly #text: string

  constructor(result: FormattedResult) {
    this.#text = textOf(result)
  }

  toJSON(): string {
    written = this.#text
    return mark
  }
}

/** A message as graphql-ws wrote it just now, with its payload. No text of anybody holds the mark: JSON escapes it. */
export function withPayload(message: string): string {
  if (!message.endsWith(`${markAsJson}}`)) return message
  return `${message.slice(0, -markAsJson.length - 1)}${written}}`
}
