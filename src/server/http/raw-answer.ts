import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ApiError } from '../../errors.ts'
import { soon } from './retry-after.ts'

/** Answers a connection on which there is no request that Node or a route could answer, and ends it. */
export function answerRaw(socket: Socket, status: number, { message, extensions }: ApiError): void {
  const body = JSON.stringify({ errors: [{ message, extensions }] })
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n` +
      `${extensions.code === 'UNAVAILABLE' ? `retry-after: ${soon}\r\n` : ''}connection: close\r\n\r\n${body}`,
  )
  socket.destroySoon()
}
