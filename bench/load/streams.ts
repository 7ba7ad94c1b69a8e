import { setTimeout as sleep } from 'node:timers/promises'
import { ownerOf } from '../data.ts'
import { faultOf, HttpConnection } from './http-connection.ts'
import type { StreamJob, StreamResult } from './job.ts'
import { Latencies } from './latencies.ts'
import { fillOnce } from './request-writer.ts'
import { Socket } from './socket.ts'

/** A message that streams: its producer's connection, and when each of its chunks was sent. */
interface Stream {
  readonly connection: HttpConnection
  readonly user: string
  readonly messageId: string
  readonly attempt: number
  readonly sentAt: number[]
}

/**
 * Producers send a token at a fixed rate, each on a connection of its own, and wait for the answer before the next one.
 * A watcher of each message on every server says when it came.
 */
export async function runStreams(job: StreamJob, began: () => void, ended: () => void): Promise<StreamResult> {
  const counts = { appended: 0, received: 0, errors: 0, firstError: null as string | null }
  const fail = (reason: string) => {
    counts.errors += 1
    counts.firstError ??= reason
  }
  const latencies = job.servers.map(() => new Latencies())
  const streams = await Promise.all(Array.from({ length: job.streams }, (_, number) => start(job, number)))
  const sockets = await Promise.all(
    job.servers.flatMap((server, index) =>
      streams.map((stream, number) =>
        watch(job, server.port, stream, number, fail, (chunk) => {
          counts.received += 1
          latencies[index]?.add(performance.now() - (stream.sentAt[chunk] ?? Number.NaN))
        }),
      ),
    ),
  )
  await sleep(500)
  began()
  const begin = performance.now()
  await Promise.all(streams.map((stream, number) => produce(job, stream, number, counts, fail)))
  const seconds = (performance.now() - begin) / 1000
  const due = counts.appended * job.servers.length
  for (let waited = 0; counts.received < due && waited < 300; waited++) await sleep(10)
  ended()
  for (const socket of sockets) socket.close()
  for (const { connection } of streams) connection.close()
  const { appended, errors, firstError } = counts
  return {
    latencies: latencies.map((of) => of.summary()),
    appended,
    seconds,
    missing: due - counts.received,
    errors,
    firstError,
  }
}

/** Streams are in the first conversations of as many users. */
function conversationOf(number: number): number {
  return number * 100
}

async function start(job: StreamJob, number: number): Promise<Stream> {
  const user = ownerOf(conversationOf(number))
  const connection = await HttpConnection.open(job.servers[0]?.port ?? 0)
  const query = 'mutation Start($input: StartMessageInput!) { startMessage(input: $input) { message { id } attempt } }'
  const input = { conversationId: String(conversationOf(number)) }
  const body = await ask(connection, job, user, { query, variables: { input } })
  const { startMessage } = (
    JSON.parse(body) as { data: { startMessage: { message: { id: string }; attempt: number } } }
  ).data
  return { connection, user, messageId: startMessage.message.id, attempt: startMessage.attempt, sentAt: [] }
}

async function watch(
  job: StreamJob,
  port: number,
  stream: Stream,
  number: number,
  fail: (reason: string) => void,
  received: (chunk: number) => void,
): Promise<Socket> {
  const socket = await Socket.open(port, '/graphql', 'graphql-transport-ws')
  socket.closed = fail
  socket.send(`{"type":"connection_init","payload":${fillOnce(job.connectionParams, stream.user, '')}}`)
  const query =
    'subscription Watch($id: ID!) { conversationEvents(conversationId: $id) { cursor ... on MessageTextAppended { chunk text } } }'
  const payload = JSON.stringify({ query, variables: { id: String(conversationOf(number)) } })
  socket.received = (message) => {
    if (message.includes('"errors"')) return fail(message.toString('utf8', 0, 500))
    if (message.includes('"type":"connection_ack"'))
      return socket.send(`{"id":"1","type":"subscribe","payload":${payload}}`)
    if (message.includes('"type":"ping"')) return socket.send('{"type":"pong"}')
    const [, chunk] = /"chunk":(\d+)/.exec(message.toString('latin1')) ?? []
    if (chunk !== undefined) received(Number(chunk))
  }
  return socket
}

async function produce(
  job: StreamJob,
  stream: Stream,
  number: number,
  counts: { appended: number },
  fail: (reason: string) => void,
): Promise<void> {
  const interval = 1000 / job.tokensPerSecond
  // Producers do not beat in time.
  const begin = performance.now() + (interval * number) / job.streams
  const query = 'mutation Add($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }'
  const { messageId, attempt } = stream
  for (let chunk = 0; chunk < job.seconds * job.tokensPerSecond; chunk++) {
    await sleep(Math.max(1, begin + chunk * interval - performance.now()))
    stream.sentAt[chunk] = performance.now()
    const input = { messageId, attempt, chunk, text: `token${chunk} `, durable: false }
    try {
      await ask(stream.connection, job, stream.user, { query, variables: { input } })
      counts.appended += 1
    } catch (error) {
      fail((error as Error).message)
    }
  }
}

function ask(connection: HttpConnection, job: StreamJob, user: string, request: object): Promise<string> {
  const body = JSON.stringify(request)
  const headers = job.headers.map((line) => `${fillOnce(line, user, '')}\r\n`).join('')
  const head = `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${headers}content-length: ${body.length}\r\n\r\n`
  return new Promise((resolve, reject) => {
    connection.send(head + body, (answer) => {
      const fault = faultOf(answer, { text: '"data"', times: 1 })
      if (fault === null) resolve(answer.body.toString('utf8'))
      else reject(new Error(fault))
    })
  })
}
