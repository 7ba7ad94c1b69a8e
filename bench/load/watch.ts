import { setTimeout as sleep } from 'node:timers/promises'
import { ownerOf } from '../data.ts'
import { faultOf, HttpConnection } from './http-connection.ts'
import type { WatchJob, WatchResult } from './job.ts'
import { Latencies } from './latencies.ts'
import { fillOnce, requestWriter } from './request-writer.ts'
import { Socket } from './socket.ts'

/**
 * Opens watchers, appends at a fixed rate, and counts what they are told. The rate is kept whether or not answers come, so
 * that a server that is slow is not asked less.
 */
export async function runWatch(job: WatchJob, began: () => void, ended: () => void): Promise<WatchResult> {
  const counts = { delivered: 0, appended: 0, errors: 0, firstError: null as string | null, behind: 0 }
  const latencies = new Latencies()
  let isMeasured = false
  const fail = (reason: string) => {
    counts.errors += 1
    counts.firstError ??= reason
  }
  // To look at the time of each of a thousand equal messages would cost more than to receive them.
  const every = perAppend(job) > 100 ? 16 : 1
  const delivered = (message: Buffer) => {
    counts.delivered += 1
    if (isMeasured && counts.delivered % every === 0) latencies.add(wallClock() - createdAt(message))
  }
  const sockets = await openWatchers(job, delivered, fail)
  let atStart = { delivered: 0, appended: 0 }
  let start = performance.now()
  if (job.append === null) {
    began()
    await sleep(job.seconds * 1000)
    ended()
  } else {
    const appending = appendAtRate(job, job.append, counts, fail)
    await sleep(job.warmUpSeconds * 1000)
    atStart = { ...counts }
    counts.behind = 0
    isMeasured = true
    start = performance.now()
    began()
    await appending
    await untilSettled(counts, () => counts.appended * perAppend(job))
    ended()
  }
  for (const socket of sockets) socket.close()
  const { errors, firstError, behind } = counts
  return {
    ...latencies.summary(),
    seconds: (performance.now() - start) / 1000,
    appended: counts.appended - atStart.appended,
    delivered: counts.delivered - atStart.delivered,
    missing: counts.appended * perAppend(job) - counts.delivered,
    errors,
    firstError,
    behind,
  }
}

/** How many watchers are told of one append. */
function perAppend(job: WatchJob): number {
  return job.watchers / job.conversations.count
}

async function openWatchers(job: WatchJob, delivered: (message: Buffer) => void, fail: (reason: string) => void) {
  const sockets: Socket[] = []
  const open = async (first: number) => {
    const socket = await Socket.open(job.socketPort, job.path, job.protocol === 'bare' ? 'bare' : job.protocol)
    sockets.push(socket)
    socket.closed = fail
    if (job.protocol === 'bare') {
      socket.received = delivered
      return
    }
    const last = Math.min(first + job.watchersPerSocket, job.watchers)
    await subscribe(socket, job, first, last, delivered, fail)
  }
  // A few at a time: a server accepts only so many at once.
  for (let first = 0; first < job.watchers; first += 32 * job.watchersPerSocket) {
    const starts = Array.from({ length: 32 }, (_, index) => first + index * job.watchersPerSocket)
    await Promise.all(starts.filter((start) => start < job.watchers).map(open))
  }
  // What was subscribed last is not acknowledged by the protocol.
  await sleep(1000)
  return sockets
}

/** Speaks graphql-transport-ws. The watchers of one socket have conversations of one user. */
function subscribe(
  socket: Socket,
  job: WatchJob,
  first: number,
  last: number,
  delivered: (message: Buffer) => void,
  fail: (reason: string) => void,
): Promise<void> {
  const { conversations, members } = job
  const owner = ownerOf(conversations.first + (first % conversations.count))
  const user = members === undefined ? owner : `${members.prefix}${first}`
  socket.send(`{"type":"connection_init","payload":${fillOnce(job.connectionParams, user, '')}}`)
  return new Promise((resolve) => {
    socket.received = (message) => {
      if (isEvent(message)) return delivered(message)
      if (message.includes('"type":"ping"')) return socket.send('{"type":"pong"}')
      if (!message.includes('"type":"connection_ack"')) return fail(message.toString('utf8', 0, 500))
      for (let watcher = first; watcher < last; watcher++) {
        const conversation = members?.conversation ?? String(conversations.first + (watcher % conversations.count))
        const payload = fillOnce(job.subscription, user, conversation)
        socket.send(`{"id":"${watcher}","type":"subscribe","payload":${payload}}`)
      }
      resolve()
    }
  })
}

/** Looked for where servers write it: to search all of each message would cost more than to receive it. */
function isEvent(message: Buffer): boolean {
  const head = message.toString('latin1', 0, 64)
  return head.includes('"type":"next"') && head.includes('"data":{')
}

async function appendAtRate(
  job: WatchJob,
  { request, connections, perSecond }: NonNullable<WatchJob['append']>,
  counts: { appended: number; behind: number },
  fail: (reason: string) => void,
): Promise<void> {
  const write = requestWriter(request, job.conversations)
  const free = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(job.port)))
  const all = [...free]
  const seconds = job.warmUpSeconds + job.seconds
  const start = performance.now()
  let sent = 0
  let answered = 0
  for (;;) {
    const elapsed = performance.now() - start
    const due = Math.floor((Math.min(elapsed, seconds * 1000) / 1000) * perSecond)
    while (sent < due) {
      const connection = free.pop()
      if (connection === undefined) break
      sent += 1
      connection.send(write(), (answer) => {
        answered += 1
        const fault = faultOf(answer, request.expected)
        if (fault === null) counts.appended += 1
        else fail(fault)
        free.push(connection)
      })
    }
    counts.behind = Math.max(counts.behind, ((due - sent) / perSecond) * 1000)
    if (elapsed >= seconds * 1000) break
    await sleep(2)
  }
  while (answered < sent) await sleep(2)
  for (const connection of all) connection.close()
}

/** Until everything has arrived, or nothing has for two seconds. */
async function untilSettled(counts: { delivered: number }, due: () => number): Promise<void> {
  let seen = -1
  for (let waited = 0; counts.delivered < due() && waited < 200; waited++) {
    if (counts.delivered !== seen) waited = 0
    seen = counts.delivered
    await sleep(10)
  }
}

function wallClock(): number {
  return performance.timeOrigin + performance.now()
}

/** When the message was made, before its commit, in milliseconds with fractions. */
export function createdAt(message: Buffer): number {
  const at = message.indexOf('"createdAt":"') + 13
  const text = message.toString('latin1', at, message.indexOf('"', at))
  const [whole, fraction = '0'] = text.slice(0, -1).split('.')
  return Date.parse(`${whole}Z`) + Number(`0.${fraction}`) * 1000
}
