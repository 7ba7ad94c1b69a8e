import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, faultOf, HttpConnection } from './http-connection.ts'
import type { PacedJob, PacedResult } from './job.ts'
import { Latencies } from './latencies.ts'
import { requestWriter } from './request-writer.ts'

/** Drives a server with so many requests in a second, however long their answers take. */
export async function runPaced(job: PacedJob, began: () => void, ended: () => void): Promise<PacedResult> {
  const write = requestWriter(job.request, job.conversations)
  const all = await Promise.all(Array.from({ length: job.connections }, () => HttpConnection.open(job.port)))
  const free = [...all]
  const latencies = new Latencies()
  const counts = { completed: 0, refused: 0, errors: 0 }
  let firstError: string | null = null
  let sent = 0
  let answered = 0
  const start = performance.now()
  const measured = start + job.warmUpSeconds * 1000
  const end = measured + job.seconds * 1000
  setTimeout(began, Math.max(1, measured - start))

  const ask = (connection: HttpConnection, from: number) =>
    connection.send(write(), (answer) => {
      const now = performance.now()
      answered += 1
      free.push(connection)
      const isMeasured = from >= measured
      if (job.mayBeRefused && isRefusal(answer)) {
        if (isMeasured) counts.refused += 1
        return
      }
      const fault = faultOf(answer, job.request.expected)
      if (fault !== null) {
        counts.errors += 1
        firstError ??= fault
      } else if (isMeasured) {
        counts.completed += 1
        latencies.add(now - from)
      }
    })

  for (let isLate = false; ; await sleep(1)) {
    const now = performance.now()
    const due = Math.floor(((Math.min(now, end) - start) / 1000) * job.perSecond)
    while (sent < due && free.length > 0) {
      // A request that had to wait for a connection counts from the time when it was due.
      ask(free.pop() as HttpConnection, isLate ? start + (sent / job.perSecond) * 1000 : now)
      sent += 1
    }
    isLate = sent < due
    if (now >= end) break
  }
  ended()
  while (answered < sent) await sleep(2)
  for (const connection of all) connection.close()
  return { ...latencies.summary(), ...counts, seconds: job.seconds, firstError }
}

/** For its rate, or because the server has too much to do. */
function isRefusal({ status, body }: Answer): boolean {
  return status === 429 || body.includes('"UNAVAILABLE"')
}
