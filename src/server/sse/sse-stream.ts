import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Result } from '../operation/results.ts'

/**
 * The id of every `complete`. A browser's EventSource connects again whenever a stream ends. After a complete stream it
 * names this id as the last that it saw, and the server tells it to stop.
 */
export const completeId = 'complete'

/** A browser connects again after so many milliseconds. Each client gets its own number, or all would come at once. */
const shortestRetry = 500
const longestRetry = 2_500

/**
 * One answer as an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html), in the words of
 * graphql-sse.
 *
 *     open ── complete() ──▶ ended: the operation is over
 *     open ── cut() ───────▶ ended: the client connects again
 *     open ── the client goes, or does not read ──▶ ended
 */
export class EventStream {
  /** Aborted as soon as nothing more is sent. */
  readonly ended: AbortSignal
  readonly #response: ServerResponse
  readonly #ending = new AbortController()
  #isSending = false
  /** How many looks there were since the present write began. */
  #looks = 0
  #wake: () => void = () => {}

  /** @param headers beside those of an event stream */
  constructor(response: ServerResponse, headers: OutgoingHttpHeaders) {
    this.#response = response
    this.ended = this.#ending.signal
    // When a write fails, the connection closes, and that ends everything on it.
    response.on('error', () => {})
    response.once('close', () => this.#end())
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies may not store the stream, gather its events or compress it.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      // The connection ends with its stream: an open one would keep a server from stopping.
      connection: 'close',
    })
    const retry = shortestRetry + Math.round(Math.random() * (longestRetry - shortestRetry))
    // This write also sends the headers, to a client that may wait long for its first event.
    response.write(`retry: ${retry}\n\n`)
  }

  /** Sends a result. Settles once the kernel has taken its bytes, so that a slow reader delays its own feed. */
  async next(result: Result): Promise<void> {
    const cursor = result.value.extensions?.cursor
    const id = typeof cursor === 'string' ? `id: ${cursor}\n` : ''
    // A line break would end the field. JSON.stringify writes none.
    await this.#write(`event: next\n${id}data: ${result.text}\n\n`)
  }

  /** Tells the client that the operation is over and that it is not to connect again. */
  async complete(): Promise<void> {
    await this.#write(`event: complete\nid: ${completeId}\ndata: \n\n`)
    this.cut()
  }

  /** Ends the stream without `complete`: its client connects again and goes on after the last event that it saw. */
  cut(): void {
    this.#end()
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }

  /**
   * To be called once a period. When no write is under way, sends a sign of life, so that no proxy takes the connection
   * for an idle one. A client that has not taken a write for a whole period is cut off.
   */
  look(): void {
    if (!this.#isSending && !this.ended.aborted) this.#response.write(':\n\n')
    else if (++this.#looks > 1) this.destroy()
  }

  async #write(text: string): Promise<void> {
    if (this.ended.aborted) return
    this.#isSending = true
    this.#looks = 0
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#response.write(text, () => resolve())
    })
    this.#isSending = false
  }

  #end(): void {
    if (this.ended.aborted) return
    this.#ending.abort()
    this.#looks = 0
    this.#wake()
  }
}
