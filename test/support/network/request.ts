import { type IncomingHttpHeaders, request as send } from 'node:http'
import { text } from 'node:stream/consumers'

export interface RawAnswer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A request with headers that `fetch` would not send, such as Host and Origin. */
export function request(url: string, method: string, headers: Record<string, string>, body = ''): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = send(url, { method, headers }, (response) => {
      text(response).then(
        (read) => resolve({ status: response.statusCode, headers: response.headers, body: read }),
        reject,
      )
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? body : undefined)
  })
}
