import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from './fault.ts'
import type { Load } from './load.ts'

const appendsTogether = 20
const batches = { many: 1_000, size: 100, atOnce: 4 }

export const loadFaults: readonly Fault[] = [
  {
    name: 'twice as much is asked for as two servers can carry, for 8 s',
    times: 1,
    timesInShort: 0,
    happen: async (_house, load) => {
      let carried = 0
      const flood = flooder(load)
      const end = performance.now() + 4_000
      const closed = Array.from({ length: 32 }, async () => {
        while (performance.now() < end) if (await flood()) carried += 1
      })
      await Promise.all(closed)
      if (carried === 0) throw new Error('nothing was carried at all')
      const everyMs = 4_000 / carried / 2
      const asked: Promise<boolean>[] = []
      for (const begun = performance.now(); performance.now() < begun + 8_000; await pause(1)) {
        while (asked.length * everyMs < performance.now() - begun) asked.push(flood())
      }
      await Promise.all(asked)
    },
  },
  {
    name: 'a client id is sent again after 100,000 messages',
    times: 1,
    timesInShort: 0,
    happen: async (_house, load) => {
      const conversationId = load.ids.spoken[0] as string
      const replay = async (content: string) => {
        const message = { role: 'USER', clientId: 'the first', content }
        const query = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed message { id } } }`
        return load.insist(query, {
          input: { conversationId: `${conversationId}, many`, ifMissing: 'CREATE', message },
        })
      }
      const first = await replay('the first')
      let n = 0
      const append = async () => {
        while (n < batches.many) {
          const batch = n++
          const messages = Array.from({ length: batches.size }, (_, index) => {
            return { role: 'USER', content: 'x', clientId: `${batch} ${index}` }
          })
          const query = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { messages { seq } } }'
          await load.insist(query, { input: { conversationId: `${conversationId}, many`, messages } })
        }
      }
      await Promise.all(Array.from({ length: batches.atOnce }, append))
      const [again, other] = [await replay('the first'), await replay('another')]
      const expected = { replayed: true, message: first.data.appendMessage.message }
      if (JSON.stringify(again.data?.appendMessage) !== JSON.stringify(expected)) {
        throw new Error(`a client id was answered with ${JSON.stringify(again)} instead of ${JSON.stringify(expected)}`)
      }
      if (other.errors?.[0]?.extensions.code !== 'CONFLICT') {
        throw new Error(`a client id with another payload was answered with ${JSON.stringify(other)}`)
      }
    },
  },
]

/** Appends messages together, to conversations in turn. @returns whether that was acknowledged */
function flooder(load: Load): () => Promise<boolean> {
  let n = 0
  return () => {
    n += 1
    const contents = Array.from({ length: appendsTogether }, (_, index) => `flood ${n} ${index} ${'x'.repeat(200)}`)
    return load.appendMany(`${load.ids.spoken[n % load.ids.spoken.length]}, flood`, contents)
  }
}
