import { maxHeaderSize, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError, badInput, unavailable } from '../../errors.ts'

/** Answers what Node cannot read as a request. Such a request has no route, and no line in the log. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // The client is gone, or was answered before and still sends.
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const [status, { message, extensions }] = refusalOf(error.code)
  const body = JSON.stringify({ errors: [{ message, extensions }] })
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n` +
      `${status === 408 ? 'retry-after: 1\r\n' : ''}connection: close\r\n\r\n${body}`,
  )
  socket.destroySoon()
}

function refusalOf(code: string | undefined): readonly [status: number, ApiError] {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const sentence = `The URL and the headers have more than ${maxHeaderSize} bytes together; a long query takes POST.`
    return [
      431,
      new ApiError('PAYLOAD_TOO_LARGE', sentence, { path: 'url', limit: maxHeaderSize, actual: maxHeaderSize + 1 }),
    ]
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, unavailable('The request took too long to come.')]
  return [400, badInput('request', 'is not HTTP.')]
}
