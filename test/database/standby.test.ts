import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { ReplicatedPostgres } from '../support/database/replicated-postgres.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

let pair: ReplicatedPostgres

beforeAll(async () => {
  pair = await ReplicatedPostgres.start()
})

afterAll(() => pair[Symbol.asyncDispose]())

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed message { seq } } }`
const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { replayed message { seq } } }`
const rename = 'mutation { updateConversation(input: { id: "c", title: "renamed" }) { conversation { title } } }'

test('a write whose wait for the standby was cancelled is UNAVAILABLE, and its retry with a client id a replay', async () => {
  await using server = await serve(pair.primary.url)
  const ada = server.as()
  await ada.append('c', 'x')
  const message = { role: 'USER', content: 'x', clientId: 'append' }
  const writes: [string, Record<string, unknown>][] = [
    [append, { input: { conversationId: 'c', message } }],
    [start, { input: { conversationId: 'c', clientId: 'start' } }],
    [rename, {}],
  ]
  await pair.setStandby('nobody')
  for (const [query, variables] of writes) {
    const failed = ada.fail(query, variables)
    const waiting = `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`
    await until(async () => (await pair.primary.query(waiting)).length > 0)
    expect((await failed).extensions).toEqual({ code: 'UNAVAILABLE' })
  }
  await pair.setStandby('standby')
  expect((await ada.get(append, writes[0]?.[1])).appendMessage).toEqual({ replayed: true, message: { seq: 2 } })
  expect((await ada.get(start, writes[1]?.[1])).startMessage).toEqual({ replayed: true, message: { seq: 3 } })
  expect(await ada.get('{ conversation(id: "c") { title } }')).toEqual({ conversation: { title: 'renamed' } })
})

test('when the primary is gone and the standby promoted, nothing that was answered is lost or stored twice', async () => {
  await using proxy = await TcpProxy.before(pair.primary)
  const url = new URL(pair.primary.url)
  url.port = new URL(proxy.url).port
  await using server = await serve(url.href, { POLL_MS: '1000' })
  const writers = Array.from({ length: 16 }, (_, index) => new Writer(server.as(), `storm ${index}`))
  const [first] = writers as [Writer]
  await Promise.all(writers.map((writer) => writer.writeUntil(() => writer.stored.length === 3)))
  await using feed = server
    .as()
    .subscribe('subscription { messageAppended(conversationId: "storm 0", after: "") { node { seq clientId } } }')

  let isEnough = false
  const writing = writers.map((writer) => writer.writeUntil(() => isEnough))
  const reached = (test: (writer: Writer) => boolean) => until(() => writers.every(test))
  await reached(({ stored }) => stored.length > 10)
  await pair.primary.crash()
  // As a name may lead to a standby before it is promoted.
  proxy.aim(pair.standby)
  await reached(({ failures }) => failures > 0)
  await pair.standby.query('select pg_promote()')
  const before = new Map(writers.map((writer) => [writer, writer.stored.length]))
  await reached((writer) => writer.stored.length > (before.get(writer) as number) + 5)
  isEnough = true
  await Promise.all(writing)

  for (const { id, stored } of writers) {
    const rows = await pair.standby.query(
      `select m.seq, m.client_id from message m join conversation c on c.key = m.conversation_key
       where c.id = '${id}' order by m.seq`,
    )
    expect(rows.map(({ seq, client_id }) => `${seq} ${client_id}`)).toEqual(stored)
  }
  for (const expected of first.stored) {
    const { node } = (await feed.next())?.data?.messageAppended ?? {}
    expect(`${node.seq} ${node.clientId}`).toBe(expected)
  }
})

/** Appends one message after the other, and repeats each until it is answered. */
class Writer {
  readonly stored: string[] = []
  failures = 0

  constructor(
    private readonly api: Api,
    readonly id: string,
  ) {}

  async writeUntil(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const clientId = `k${this.stored.length}`
      const message = { role: 'USER', content: 'x', clientId }
      const answer = await this.api.ask(append, { input: { conversationId: this.id, ifMissing: 'CREATE', message } })
      if (answer.errors) {
        expect(answer.errors).toEqual([expect.objectContaining({ extensions: { code: 'UNAVAILABLE' } })])
        this.failures += 1
      } else {
        this.stored.push(`${answer.data?.appendMessage.message.seq} ${clientId}`)
      }
    }
  }
}
