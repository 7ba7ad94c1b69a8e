import type { MessageInput } from '../schema/types.ts'

/** The server takes 100 messages at once, and the start of an answer is one of them. */
const largestBatch = 99
/** And at most 4 MiB, which leaves room for the rest of the request. */
const largestBytes = 3 * 1024 * 1024

/** Messages in batches that the server takes: each is stored whole or not at all. */
export function inBatches(messages: readonly MessageInput[]): MessageInput[][] {
  const batches: MessageInput[][] = []
  let bytes = 0
  for (const message of messages) {
    const size = encoder.encode(JSON.stringify(message)).length
    const last = batches.at(-1)
    if (last !== undefined && last.length < largestBatch && bytes + size <= largestBytes) last.push(message)
    else {
      batches.push([message])
      bytes = 0
    }
    bytes += size
  }
  return batches
}

const encoder = new TextEncoder()
