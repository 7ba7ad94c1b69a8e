import { faultOf, HttpConnection } from './http-connection.ts'
import type { RequestJob, RequestResult } from './job.ts'
import { Latencies } from './latencies.ts'
import { requestWriter } from './request-writer.ts'

/** Drives a server with requests, each connection with one at a time. */
export async function runRequests(job: RequestJob, began: () => void, ended: () => void): Promise<RequestResult> {
  const write = requestWriter(job.request, job.conversations, job.cursors)
  const connections = await Promise.all(Array.from({ length: job.connections }, () => HttpConnection.open(job.port)))
  const latencies = new Latencies()
  const perSecond: number[] = []
  let completed = 0
  let answered = 0
  let errors = 0
  let firstError: string | null = null
  const start = performance.now() + job.warmUpSeconds * 1000
  const end = start + job.seconds * 1000
  setTimeout(began, Math.max(1, start - performance.now()))

  const drive = (connection: HttpConnection) =>
    new Promise<void>((resolve) => {
      const next = () => {
        const sent = performance.now()
        if (sent >= end) return resolve()
        connection.send(write(), (answer) => {
          const now = performance.now()
          const fault = faultOf(answer, job.request.expected)
          if (fault !== null) {
            errors += 1
            firstError ??= fault
            if (answer.status === 0) return resolve()
          } else {
            answered += 1
            if (now >= start && now < end) {
              completed += 1
              latencies.add(now - sent)
              const second = Math.floor((now - start) / 1000)
              perSecond[second] = (perSecond[second] ?? 0) + 1
            }
          }
          next()
        })
      }
      next()
    })
  const driven = Promise.all(connections.map(drive))
  await new Promise((resolve) => setTimeout(resolve, end - performance.now()))
  ended()
  await driven
  for (const connection of connections) connection.close()
  return { ...latencies.summary(), completed, seconds: job.seconds, answered, errors, firstError, perSecond }
}
