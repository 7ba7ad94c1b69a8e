import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Result } from '../operation/results.ts'

/**
 * The id of every `complete`. A browser's EventSource connects again when a stream ends, whyever it did, and then names
 * this one as the last that it saw: it is told to stop.
 */
export const completeId = 'complete'

/** After how many milliseconds a browser connects again: each client its own, or all of them would come at once. */
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
  /** How often it was looked at since a write began that has not left. */
  #looks = 0
  #wake: () => void = () => {}

  /** @param headers beside those of an event stream */
  constructor(response: ServerResponse, headers: OutgoingHttpHeaders) {
    this.#response = response
    this.ended = this.#ending.signal
    // What fails is a connection that closes, and closing ends everything on it.
    response.on('error', () => {})
    response.once('close', () => this.#end())
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      // Whatever stands between may neither keep what it passes on, nor gather it, nor press it.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      // A stream ends with its connection: one that is kept would keep a server that stops.
      connection: 'close',
    })
    const retry = shortestRetry + Math.round(Math.random() * (longestRetry - shortestRetry))
    // Written at once, it also brings the headers to a client that would wait long for its first event.
    response.write(`retry: ${retry}\n\n`)
  }

  /** Sends a result. Settles once its bytes have left for the kernel, so that a slow reader holds back its own feed. */
  async next(result: Result): Promise<void> {
    const cursor = result.value.extensions?.cursor
    const id = typeof cursor === 'string' ? `id: ${cursor}\n` : ''
    // JSON.stringify leaves no line break, which would end the field.
    await this.#write(`event: next\n${id}data: ${result.text}\n\n`)
  }

  /** The operation is over, and its client is to stay away. */
  async complete(): Promise<void> {
    await this.#write(`event: complete\nid: ${completeId}\ndata: \n\n`)
    this.cut()
  }

  /** Ends without a word: clients connect again, and go on after the last event that they saw. */
  cut(): void {
    this.#end()
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }

  /**
   * To be called once a period. Sends a sign of life where nothing else is under way, for what closes idle connections;
   * a reader that has not taken a write for a whole period is ended.
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
