/**
 * Gives every operation of a socket a number of its own in place of the id that its client chose. A client may use an id
 * again as soon as it has completed it, while the earlier operation is still ending: graphql-ws goes by the id alone, and
 * would send the earlier one's results and its end as the later one's, and lose hold of the later one's source.
 */
export class OperationNumbers {
  readonly #numbers = new Map<string, string>()
  readonly #ids = new Map<string, string>()
  #last = 0

  /** Whether an operation of this id has begun and is not complete for the client. */
  has(id: string): boolean {
    return this.#numbers.has(id)
  }

  begin(id: string): string {
    this.#last += 1
    const number = String(this.#last)
    this.#numbers.set(id, number)
    this.#ids.set(number, id)
    return number
  }

  /** The client completes it, and waits for nothing of it any more. null: there is none. */
  end(id: string): string | null {
    const number = this.#numbers.get(id)
    if (number === undefined) return null
    this.#numbers.delete(id)
    this.#ids.delete(number)
    return number
  }

  /** A message as graphql-ws writes it, with the client's id; null when its client has completed that operation. */
  outward(text: string): string | null {
    const [head, number, type] = operationHead.exec(text) ?? []
    if (head === undefined || number === undefined) return text
    const id = this.#ids.get(number)
    if (id === undefined) return null
    if (type !== 'next') this.end(id)
    return `{"id":${JSON.stringify(id)},"type":"${type}"${text.slice(head.length)}`
  }
}

const operationHead = /^\{"id":"(\d+)","type":"(next|error|complete)"/
