import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { type Bed, useBed } from '../support/bed.ts'
import { hold } from '../support/database/hold.ts'
import { recordStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { begin, holdMessages } from '../support/network/abandon.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'
import { patient } from '../support/patient.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const window = '{ conversation(id: "c") { context(maxTokens: 1000) { included omitted { messages } } } }'
const page = '{ conversation(id: "c") { messages(first: 1) { nodes { content } } } }'
const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
const say = (conversationId: string) => ({ input: { conversationId, message: { role: 'USER', content: 'y' } } })

/** The connections of the pool. */
async function pids({ database }: Bed): Promise<number[]> {
  const client = await database.connect()
  const { rows } = await client.query<{ pid: number }>(
    "select pid from pg_stat_activity where datname = current_database() and application_name = 'colloquy'",
  )
  return rows.map(({ pid }) => pid)
}

describe('a read that has a connection alone, and for which nobody waits any more', () => {
  const bed = useBed({ ...patient, POOL_SIZE: '2', MAX_MESSAGES_PER_SECOND: '1000' })

  const ways: [string, () => Promise<() => Promise<void>>][] = [
    ['its client went away', async () => begin(bed.server, window)],
    [
      'its operation was completed on the socket',
      async () => {
        const wire = await Wire.open(bed.server.url)
        const id = wire.subscribe(window)
        return async () => {
          wire.send({ id, type: 'complete' })
          // The session has seen it.
          wire.send({ type: 'ping' })
          expect((await wire.next()).type).toBe('pong')
          void wire[Symbol.asyncDispose]()
        }
      },
    ],
    [
      'its socket was closed',
      async () => {
        const wire = await Wire.open(bed.server.url)
        wire.subscribe(window)
        return async () => wire.terminate()
      },
    ],
    [
      'its event stream was closed',
      async () => {
        const stream = await EventStreamReader.open(bed.server.url, { query: window })
        return () => stream[Symbol.asyncDispose]()
      },
    ],
  ]

  test.each(ways)('is cancelled, and its connection answers others: %s', async (_why, ask) => {
    const ada = bed.server.as()
    await ada.append('c', 'x')
    await ada.get(window)
    const held = await holdMessages(bed.database)
    const leave = await ask()
    const [pid] = await held.blocked()
    await leave()
    await held.untilNobodyWaits()
    await held.letGo()
    // Both connections are asked.
    await Promise.all([ada.get(window), ada.get(window), ada.get(window)])
    expect(await pids(bed)).toContain(pid)
    expect((await ada.get(window)).conversation.context.omitted.messages).toBe(0)
    expect(bed.server.logged.filter(({ level }) => Number(level) >= 40)).toEqual([])
  })

  test('is followed by no other read of its operation', async () => {
    const ada = bed.server.as()
    await ada.append('c', 'x')
    const held = await holdMessages(bed.database)
    const sent = await recordStatements(bed.database, async () => {
      const leave = begin(bed.server, `{ one: ${window.slice(2, -2)} two: ${window.slice(2, -2)} }`)
      await held.blocked()
      await leave()
      await held.untilNobodyWaits()
      await held.letGo()
      // What the operation would go on with would come before this.
      await ada.get(window)
    })
    const leading = sent.filter(({ name }) => name === 'window-leading')
    const pages = sent.filter(({ name }) => name === 'window-page')
    expect([leading.length, pages.length]).toEqual([2, 1])
  })
})

describe('a request that takes longer than REQUEST_TIMEOUT_MS', () => {
  const bed = useBed({ ...patient, REQUEST_TIMEOUT_MS: '2000' })

  test('is answered 503 with Retry-After, and its read is cancelled', async () => {
    const ada = bed.server.as()
    await ada.append('c', 'x')
    const held = await holdMessages(bed.database)
    const asked = ada.post(JSON.stringify({ query: window }))
    await held.blocked()
    const response = await asked
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    await held.untilNobodyWaits()
    await held.letGo()
  })
})

describe('what is not cancelled', () => {
  const bed = useBed({ ...patient, PIPELINES: '1' })

  test('a write whose client went away is stored', async () => {
    const ada = bed.server.as()
    await ada.append('written', 'x')
    const client = await hold(bed.database, 'written')
    const leave = begin(bed.server, append, say('written'))
    await untilWaiting(bed.database)
    await leave()
    await client.query('commit')
    await until(async () => (await ada.get('{ conversation(id: "written") { lastSeq } }')).conversation.lastSeq === 2)
  })

  test('a mutation that was completed on its socket is done to its end', async () => {
    const ada = bed.server.as()
    await ada.append('first', 'x')
    await ada.append('second', 'x')
    const client = await hold(bed.database, 'first')
    const wire = await Wire.open(bed.server.url)
    const one = `appendMessage(input: { conversationId: "first", message: { role: USER, content: "y" } }) { message { seq } }`
    const id = wire.subscribe(`mutation { one: ${one} two: ${one.replace('first', 'second')} }`)
    await untilWaiting(bed.database)
    wire.send({ id, type: 'complete' })
    wire.terminate()
    await wire.closed
    await client.query('commit')
    await until(async () => (await ada.get('{ conversation(id: "second") { lastSeq } }')).conversation.lastSeq === 2)
  })

  test('a read between those of others goes on, they are answered, and it is not asked again alone', async () => {
    const ada = bed.server.as()
    await ada.append('c', 'x')
    const held = await holdMessages(bed.database)
    const sent = await recordStatements(bed.database, async () => {
      const leave = begin(bed.server, page)
      const [line] = await held.blocked()
      const other = ada.get(page)
      await leave()
      // Each is ended after a second in which others stood behind it. The other one is then asked again alone.
      await until(async () => (await held.waiting()).some((pid) => pid !== line))
      await held.letGo()
      expect(await other).toEqual({ conversation: { messages: { nodes: [{ content: 'x' }] } } })
    })
    // Two in line, and one of them again.
    expect(sent.filter(({ text }) => / from message /.test(text))).toHaveLength(3)
  })
})

describe('a client that goes away while the keys of its token are asked for', () => {
  const bed = useBed(patient)

  test('leaves nothing of its answer behind', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] })
    const token = await new SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setExpirationTime('1h')
      .sign(privateKey)
    await bed.server.as().append('c', 'x')

    const asked: ServerResponse[] = []
    const provider = createServer((_request, response) => void asked.push(response))
    await once(provider.listen(0, '127.0.0.1'), 'listening')
    const port = (provider.address() as AddressInfo).port
    // One line: the answers come in the order of the requests.
    const settings = { ...patient, PIPELINES: '1', AUTH_JWKS_URL: `http://127.0.0.1:${port}` }
    await using server = await serve(bed.database.url, settings)
    const leaving = new AbortController()
    const url = `${server.url}/graphql?query=${encodeURIComponent(page)}`
    const headers = { authorization: `Bearer ${token}` }
    const left = fetch(url, { headers, signal: leaving.signal })
    await until(() => asked.length === 1)
    leaving.abort()
    await expect(left).rejects.toThrow('aborted')
    await until(() => server.logged.some(({ status }) => status === 'aborted'))
    const other = fetch(url, { headers })
    asked[0]?.end(keys)
    expect(await (await other).json()).toMatchObject({ data: { conversation: { messages: {} } } })
    await until(() => server.inspect().answerBytes === 0)
    provider.closeAllConnections()
    provider.close()
  })
})
