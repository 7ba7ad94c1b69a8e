import type { Client, Connection, Submittable } from 'pg'

/** Bytes that wait for their reader. When there are more, no more are taken from the connection. */
const highWater = 256 * 1024

/** What `COPY … (FORMAT binary)` begins with: a signature, flags, and the length of an extension that nobody uses. */
const headBytes = 19

/**
 * The values of a query of one column, as bytes: `COPY … TO STDOUT`. The rows come as fast as they are read, and a slow
 * reader holds up PostgreSQL. A cursor would be told a number of rows, whose bytes nobody knows. Whoever stops reading
 * before the end has to close the connection.
 *
 * @param select without parameters; no value is null
 */
export async function* copyOut(client: Client, select: string): AsyncGenerator<Buffer[], void, undefined> {
  const copy = client.query(new CopyOut(`copy (${select}) to stdout (format binary)`))
  for (let rows = await copy.next(); rows !== null; rows = await copy.next()) yield rows
}

class CopyOut implements Submittable {
  readonly #text: string
  #connection: Connection | null = null
  /** What waits for its reader. */
  #rows: Buffer[] = []
  #bytes = 0
  #rest: Buffer = Buffer.alloc(0)
  #hasHead = false
  #isOver = false
  #error: Error | null = null
  #wake: () => void = () => {}

  constructor(text: string) {
    this.#text = text
  }

  /** The next rows; null: there are no more. */
  async next(): Promise<Buffer[] | null> {
    while (this.#rows.length === 0) {
      if (this.#error !== null) throw this.#error
      if (this.#isOver) return null
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    this.#connection?.stream.resume()
    return rows
  }

  submit(connection: Connection): void {
    this.#connection = connection
    connection.query(this.#text)
  }

  /** The chunk is a part of a buffer that the driver uses again. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const bytes = Buffer.concat([this.#rest, chunk])
    let at = this.#hasHead ? 0 : headBytes
    this.#hasHead = true
    // A row is the number of its columns (2 bytes), and for each the number of its bytes (4) and the bytes. At the end the
    // number of columns is -1.
    while (bytes.length - at >= 6) {
      const end = at + 6 + bytes.readInt32BE(at + 2)
      if (end > bytes.length) break
      this.#rows.push(bytes.subarray(at + 6, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
    this.#bytes += chunk.length
    if (this.#bytes > highWater) this.#connection?.stream.pause()
    this.#wake()
  }

  handleError(error: Error): void {
    this.#error = error
    this.#wake()
  }

  handleReadyForQuery(): void {
    this.#isOver = true
    this.#wake()
  }

  handleCommandComplete(): void {}
}
