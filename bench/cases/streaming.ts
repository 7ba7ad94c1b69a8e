import type { Case } from '../case.ts'
import { meter } from '../compare.ts'
import { ours } from '../contenders.ts'
import { standardData } from '../data.ts'
import { connectionParams, identityHeaders } from '../documents.ts'
import type { Latency } from '../load/job.ts'
import { median, show } from '../numbers.ts'
import { Program } from '../program.ts'

const streams = 20
const tokensPerSecond = 50
const goal = 80

export const streaming: Case = {
  name: 'streaming',
  title: 'Streaming: 20 messages at 50 tokens per second, two servers',
  async run({ database, generator, options }) {
    const places = ['the same server', 'another server']
    const turns: Latency[][] = places.map(() => [])
    const cpu = { server: [] as number[], postgres: [] as number[] }
    const rates: number[] = []
    let missing = 0
    let errors = 0
    for (let round = 0; round < options.rounds; round++) {
      const url = await database.copy('bench', standardData)
      await using first = await Program.start(ours.command(url))
      await using second = await Program.start(ours.command(url))
      const meters = [meter(first, database), meter(second, database)]
      const result = await generator.run<'streams'>(
        {
          kind: 'streams',
          servers: [{ port: first.port }, { port: second.port }],
          headers: identityHeaders,
          connectionParams,
          streams,
          tokensPerSecond,
          seconds: options.seconds,
        },
        () => meters.forEach((one) => void one.begin()),
        () => meters.forEach((one) => void one.end()),
      )
      if (result.firstError !== null) console.error(`  ${result.errors} errors: ${result.firstError}`)
      result.latencies.forEach((latency, place) => void turns[place]?.push(latency))
      cpu.server.push(meters.reduce((sum, { server }) => sum + server, 0) / result.appended)
      cpu.postgres.push((meters[0]?.postgres ?? Number.NaN) / result.appended)
      rates.push(result.appended / result.seconds)
      missing += result.missing
      errors += result.errors
    }
    const rows = places.map((place, index) => {
      const of = turns[index] ?? []
      return { place, p50: median(of.map(({ p50 }) => p50)), p99: median(of.map(({ p99 }) => p99)) }
    })
    return {
      method:
        'From the call of `appendMessageText` (`durable: false`, so the producer does not wait for the disk) to the ' +
        'receipt of a watcher, who sees only what is durable. Each message has a watcher on either server.',
      columns: ['watched on', 'p50 ms', 'p99 ms'],
      rows: rows.map(({ place, p50, p99 }) => [place, show(p50), show(p99)]),
      goals: rows.map(({ place, p99 }) => ({
        goal: `p99 on ${place} < ${goal} ms`,
        reached: `${show(p99)} ms`,
        isReached: p99 < goal,
      })),
      notes: [
        `CPU per token: ${show(median(cpu.server))} µs of both servers, ${show(median(cpu.postgres))} µs of PostgreSQL; ` +
          `${missing} missing, ${errors} errors. The producers got ${show(median(rates))} tokens per second through; ` +
          `they wanted ${show(streams * tokensPerSecond)}.`,
      ],
    }
  },
}
