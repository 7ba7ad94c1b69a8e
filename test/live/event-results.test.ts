import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { isLong } from '../support/long.ts'
import { Socket } from '../support/network/socket.ts'

const bed = useBed()

test.skipIf(!isLong)('results that were sent are not held, however many events one read has brought', async () => {
  const ada = bed.server.as()
  const start = 'mutation { startMessage(input: { conversationId: "told", ifMissing: CREATE }) { message { id } } }'
  const add = `mutation ($id: ID!, $chunk: Int!, $text: String!) {
    appendMessageText(input: { messageId: $id, attempt: 1, chunk: $chunk, text: $text }) { nextChunk } }`
  const follow = `subscription { conversationEvents(conversationId: "told") {
    ... on MessageTextAppended { chunk message { content } } } }`
  const { id } = (await ada.get(start)).startMessage.message
  const text = '.'.repeat(900_000)
  await ada.get(add, { id, chunk: 0, text })
  await using socket = await Socket.connect(bed.server)
  const before = await heldBytes()
  socket.begin('feed', follow)
  for (let n = 0; n < 2; n++) await socket.result('feed')
  socket.ws.pause()
  // The first of these fill what the kernel takes. Those behind them are read together when the reader goes on.
  for (let chunk = 1; chunk <= 100; chunk++) await ada.get(add, { id, chunk, text: 'x' })
  socket.ws.resume()
  for (let chunk = 1; chunk <= 80; chunk++) {
    const event = (await socket.result('feed')).data.conversationEvents
    expect(event.chunk).toBe(chunk)
    expect(event.message.content.length).toBeGreaterThanOrEqual(text.length + chunk)
  }
  socket.ws.pause()
  // 72 MB of content were sent, each of it also as JSON. What is left is one result, a frame and buffers.
  expect((await heldBytes()) - before).toBeLessThan(30_000_000)
  socket.ws.resume()
})

/** What this process holds, the server and its clients, after everything that is garbage has gone. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  for (let n = 0; n < 5; n++) {
    collect()
    await turn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
