import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { payerAt } from '../../src/server/rate/payer.ts'
import { Rates } from '../../src/server/rate/rates.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'

const cheap = '{ conversation(id: "none") { id } }'
/** It may cost 1033, so that it is owed for a quarter of an hour. */
const dear = '{ conversation(id: "none") { history(last: 1000) { seq } } }'

async function useUp(api: Api): Promise<void> {
  expect((await api.ask(dear)).errors).toBeUndefined()
}

describe('the rate of a user', () => {
  const bed = useBed({ RATE_LIMIT: '1', RATE_BURST: '100' })

  test('is refused with 429 and told when to try again once it is used up, and others are not touched', async () => {
    const { server } = bed
    const first = server.as({ 'x-user-id': 'first' })
    expect((await first.ask(cheap)).errors).toBeUndefined()
    await useUp(first)
    const response = await first.post(JSON.stringify({ query: cheap }))
    expect(response.status).toBe(429)
    const { errors } = (await response.json()) as { errors: { message: string; extensions: Record<string, unknown> }[] }
    const seconds = Number(response.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(500)
    expect(seconds).toBeLessThan(1000)
    expect(errors).toEqual([
      {
        message: `This user has used up its rate; try again in ${seconds} s.`,
        extensions: { code: 'RATE_LIMITED', retryAfter: seconds },
      },
    ])
    expect((await server.as({ 'x-user-id': 'second' }).ask(cheap)).errors).toBeUndefined()
  })

  test('is the same over GET, whatever the client accepts', async () => {
    const user = { 'x-user-id': 'getting' }
    await useUp(bed.server.as(user))
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const url = `${bed.server.url}/graphql?query=${encodeURIComponent(cheap)}`
      const response = await fetch(url, { headers: { ...user, accept } })
      expect([response.status, response.headers.has('retry-after')]).toEqual([429, true])
    }
  })

  test('is refused after 50 ms, so that a connection that asks again at once cannot flood', async () => {
    const owing = bed.server.as({ 'x-user-id': 'hasty' })
    await useUp(owing)
    const timers = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => timers.mockRestore())
    for (let n = 0; n < 3; n++) expect((await owing.fail(cheap)).extensions.code).toBe('RATE_LIMITED')
    expect(timers.mock.calls.filter(([, ms]) => ms === 50)).toHaveLength(3)
  })

  test('is refused before its body is read', async () => {
    await useUp(bed.server.as({ 'x-user-id': 'slow' }))
    const socket = connect(Number(new URL(bed.server.url).port), '127.0.0.1')
    const headers = 'host: localhost\r\nx-user-id: slow\r\ncontent-type: application/json\r\ncontent-length: 1000'
    socket.write(`POST /graphql HTTP/1.1\r\n${headers}\r\n\r\n`)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 429 /)
    socket.destroy()
  })

  test('over a socket refuses the operation, and the socket and what runs on it stay', async () => {
    const user = { 'x-user-id': 'socket' }
    const api = bed.server.as(user)
    await api.append('mine', 'one')
    await using wire = await Wire.open(bed.server.url, user)
    const feed = wire.subscribe('subscription { messageAppended(conversationId: "mine", after: "") { node { seq } } }')
    expect((await wire.answer(feed)).data.messageAppended.node.seq).toBe(1)
    await useUp(api)
    expect((await wire.ask(cheap)).errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }])
    expect((await wire.ask(cheap, undefined, { userId: 'another' })).errors).toBeUndefined()
    expect(wire.ws.readyState).toBe(wire.ws.OPEN)
  })

  test('over an event stream is a result, after which the client tries again', async () => {
    const user = { 'x-user-id': 'streaming' }
    await useUp(bed.server.as(user))
    await using stream = await EventStreamReader.open(bed.server.url, { query: cheap, identity: user })
    expect((await stream.result()).errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }])
    expect(await stream.event()).toBeNull()
  })

  test('pays for a document that is refused, and for its length', async () => {
    const api = bed.server.as({ 'x-user-id': 'wrong' })
    expect((await api.fail('{ wrong }'.padEnd(32_000))).extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    expect((await api.fail(cheap)).extensions.code).toBe('RATE_LIMITED')
  })

  test('pays for a document once, as long as the server remembers it', async () => {
    const long = cheap.padEnd(3_200)
    await bed.server.as({ 'x-user-id': 'once' }).get(long)
    const api = bed.server.as({ 'x-user-id': 'again' })
    await api.get(long)
    await api.get(long)
    expect((await api.ask(cheap)).errors).toBeUndefined()
    const other = bed.server.as({ 'x-user-id': 'other' })
    await other.get(cheap.padEnd(6_400))
    expect((await other.fail(cheap)).extensions.code).toBe('RATE_LIMITED')
  })
})

describe('whoever is known', () => {
  const key = 'k'.repeat(32)
  const other = 'o'.repeat(32)
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  const bed = useBed({
    RATE_LIMIT: '1',
    RATE_BURST: '250',
    AUTH_SERVICE_KEYS: `one:${hash(key)},two:${hash(other)}`,
  })

  test('has a rate for each key and user', async () => {
    const as = (serviceKey: string, user: string) => bed.server.as({ 'x-service-key': serviceKey, 'x-user-id': user })
    await useUp(as(key, 'ada'))
    expect((await as(key, 'bob').ask(cheap)).errors).toBeUndefined()
    expect((await as(other, 'ada').ask(cheap)).errors).toBeUndefined()
    expect((await as(key, 'ada').fail(cheap)).extensions.code).toBe('RATE_LIMITED')
  })

  test('pays for each event of a subscription by what is read for it, and the events go on', async () => {
    const user = { 'x-user-id': 'following' }
    const messages = Array.from({ length: 100 }, () => ({ role: 'USER', content: 'x' }))
    await bed.server
      .as({ 'x-service-key': other, ...user })
      .get('mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }', {
        input: { conversationId: 'followed', ifMissing: 'CREATE', messages },
      })
    const known = { 'x-service-key': key, ...user }
    await using wire = await Wire.open(bed.server.url, known)
    const query = `subscription { messageAppended(conversationId: "followed", after: "") {
      node { seq conversation { history(last: 100) { seq } } } } }`
    const feed = wire.subscribe(query)
    for (let seq = 1; seq <= 100; seq++) expect((await wire.answer(feed)).data.messageAppended.node.seq).toBe(seq)
    expect((await bed.server.as(known).fail(cheap)).extensions.code).toBe('RATE_LIMITED')
    expect(wire.ws.readyState).toBe(wire.ws.OPEN)
  })

  test('is not limited by address, and whoever is not known is', async () => {
    const { server } = bed
    const nobody = server.as({ 'x-service-key': 'wrong', 'x-user-id': 'ada' })
    const codes = []
    for (let n = 0; n < 4; n++) codes.push((await nobody.fail(cheap)).extensions.code)
    expect(codes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'RATE_LIMITED'])
    const response = await nobody.post(JSON.stringify({ query: cheap }))
    expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([429, true])
    const wire = await Wire.dial(server.url)
    wire.send({ type: 'connection_init', payload: { 'x-service-key': 'wrong' } })
    expect(await wire.closed).toMatchObject({ code: 1013, reason: expect.stringContaining('This address') })
    const known = { 'x-service-key': key, 'x-user-id': 'carol' }
    expect((await server.as(known).ask(cheap)).errors).toBeUndefined()
    await using open = await Wire.open(server.url, known)
    expect((await open.ask(cheap)).errors).toBeUndefined()
  })
})

describe('the rates of a process', () => {
  const names = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `user ${from + n}`)

  test('keep no more names than twice their limit, however many come', () => {
    const rates = new Rates({ perSecond: 1, burst: 10 }, 20, 100)
    for (const name of names(10_000)) rates.take(name, 1)
    expect(rates.size).toBeLessThanOrEqual(200)
  })

  test('keep who came last', () => {
    const rates = new Rates({ perSecond: 1, burst: 10 }, 20, 100)
    rates.take('busy', 15)
    for (const name of names(99)) rates.take(name, 1)
    rates.take('one more', 1)
    expect(() => rates.require('busy')).toThrow(ApiError)
    for (const name of names(99, 1000)) rates.take(name, 1)
    expect(() => rates.require('busy')).toThrow(ApiError)
  })

  test('forget who has not come for so long that it owes nothing and could begin anything', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const rates = new Rates({ perSecond: 1, burst: 10 }, 20)
    // A burst and the dearest operation are owed at most, and made up for in half of this.
    const period = 60_000
    rates.take('rests', 30)
    vi.advanceTimersByTime(period)
    rates.take('comes', 1)
    expect(rates.size).toBe(2)
    vi.advanceTimersByTime(1)
    rates.take('comes later', 1)
    vi.advanceTimersByTime(period + 1)
    rates.take('comes last', 1)
    expect(rates.size).toBe(2)
  })

  test('tell a user from an address of the same name', () => {
    const rates = new Rates({ perSecond: 1, burst: 10 }, 20)
    rates.attempt('192.0.2.7')
    expect(() => rates.attempt('192.0.2.7')).toThrow(/^This address/)
    expect(() => rates.require('192.0.2.7')).not.toThrow()
  })

  test('let in who owes nothing, whatever it costs, and take no more than a burst beyond', () => {
    const rates = new Rates({ perSecond: 1, burst: 10 }, 20)
    rates.require('ada')
    rates.take('ada', 10)
    expect(() => rates.require('ada')).not.toThrow()
    rates.take('ada', 1_000)
    expect(() => rates.require('ada')).toThrow(/try again in 1000 s/)
    rates.take('ada', 1_000)
    expect(() => rates.require('ada')).toThrow(/try again in 1000 s/)
  })
})

describe('the address of a caller', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s counts as %s', (address, counted) => {
    expect(payerAt(address)).toBe(counted)
  })
})
