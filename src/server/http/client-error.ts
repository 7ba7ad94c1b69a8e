import { maxHeaderSize } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError, badInput, unavailable } from '../../errors.ts'
import { answerRaw } from './raw-answer.ts'

/** Answers what Node cannot read as a request. Such a request has no route, and no line in the log. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // The client is gone, or was answered before and still sends.
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const [status, refusal] = refusalOf(error.code)
  answerRaw(socket, status, refusal)
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
