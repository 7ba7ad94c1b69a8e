/**
 * A tail of more bytes than this is not copied into each frame. A shorter one is, because one piece is written faster
 * than two.
 */
const maxCopied = 4096

const text = 0x81
const nothing = Buffer.alloc(0)

/**
 * Makes a text message into a frame of WebSocket (RFC 6455, 5.2), in one or two pieces. Many messages may have one
 * tail.
 *
 * @param tail is not changed. A long tail is not copied: all frames that still wait to be sent share it
 */
export function textFrame(head: string, tail: Buffer = nothing): readonly Buffer[] {
  const headLength = Buffer.byteLength(head)
  const length = headLength + tail.length
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const isCopied = tail.length <= maxCopied
  const frame = Buffer.allocUnsafe(start + (isCopied ? length : headLength))
  frame[0] = text
  if (start === 2) frame[1] = length
  else if (start === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(head, start)
  if (!isCopied) return [frame, tail]
  tail.copy(frame, start + headLength)
  return [frame]
}
