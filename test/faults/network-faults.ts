import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../support/random.ts'
import type { Fault } from './fault.ts'
import type { House, Seat } from './house.ts'

export const networkFaults: readonly Fault[] = [
  {
    name: 'every fifth answer to a write is lost on its way from PostgreSQL, for 3 s',
    times: 1,
    timesInShort: 1,
    happen: async ({ seats }, load, random) => {
      // A statement that appends commits by itself. Its name stands in what asks for it.
      const isWritten = (bytes: Buffer, asked: Buffer) => asked.includes('append-') || bytes.includes('COMMIT\0')
      let lost = 0
      await whileEach(
        seats,
        3_000,
        ({ toPostgres }, isOn) => {
          toPostgres.endsBefore = (bytes, asked) => {
            const isLost = isOn && isWritten(bytes, asked) && random.chance(0.2)
            if (isLost) lost += 1
            return isLost
          }
        },
        () => load.missed(),
      )
      if (lost === 0) throw new Error('no answer to a write was lost')
    },
  },
  {
    name: 'PostgreSQL answers 200 ms later, for 5 s',
    times: 1,
    timesInShort: 0,
    happen: async ({ seats }, load) => {
      await whileEach(
        seats,
        5_000,
        ({ toPostgres }, isOn) => {
          toPostgres.delayMs = isOn ? 100 : 0
        },
        () => load.recovered(),
      )
    },
  },
  {
    name: 'connections of clients are cut inside requests and answers, for 3 s',
    times: 1,
    timesInShort: 1,
    happen: async ({ front }, _load, random) => {
      let cut = 0
      for (const end = performance.now() + 3_000; performance.now() < end; ) {
        cut += front.cut(0.3)
        front.cutAfter(random.below(300))
        await sendHalf(front.url, random)
        await pause(random.below(100))
      }
      if (cut === 0) throw new Error('no connection was cut')
    },
  },
  {
    name: 'NATS is killed, and back after 3 s',
    bus: 'NATS',
    times: 2,
    timesInShort: 0,
    happen: async ({ nats }: House) => {
      await nats?.kill()
      await pause(3_000)
      await nats?.start()
    },
  },
]

/** @param meanwhile is over before it ends, however long that takes */
async function whileEach(
  seats: readonly Seat[],
  ms: number,
  set: (seat: Seat, isOn: boolean) => void,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<void> {
  for (const seat of seats) set(seat, true)
  await Promise.all([pause(ms), meanwhile()])
  for (const seat of seats) set(seat, false)
}

/** A request that ends somewhere in its body. */
async function sendHalf(url: string, random: Random): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const body = JSON.stringify({
    query: 'mutation { clearConversation(input: { id: "never" }) { conversation { id } } }',
  })
  const head = `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\nx-user-id: ada\r\ncontent-type: application/json\r\n`
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, random.below(body.length))}`, () => {
      socket.resetAndDestroy()
    })
  })
}
