import { connect, type Socket } from 'node:net'

/** What is read is looked at before the next read of anybody: by default Node takes 64 KiB for each and collects them. */
const buffer = Buffer.alloc(64 * 1024)

/** Connects to a server of this machine. @param take is given bytes that are there only for as long as it runs */
export function connectTo(port: number, take: (chunk: Buffer) => void, connected: () => void): Socket {
  const callback = (bytes: number) => {
    take(buffer.subarray(0, bytes))
    return true
  }
  return connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } }, connected)
}
