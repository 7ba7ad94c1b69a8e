import { expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'

const bed = useBed()

const ways: Record<string, (query: string, operationName: string) => Promise<Answer>> = {
  async POST(query, operationName) {
    const response = await bed.server.as().post(JSON.stringify({ query, operationName }))
    return (await response.json()) as Answer
  },
  async GET(query, operationName) {
    const search = new URLSearchParams({ query, operationName })
    const response = await fetch(`${bed.server.url}/graphql?${search}`, { headers: { 'x-user-id': 'ada' } })
    return (await response.json()) as Answer
  },
  async WebSocket(query, operationName) {
    await using wire = await Wire.open(bed.server.url)
    wire.send({ id: 'named', type: 'subscribe', payload: { query, operationName } })
    return await wire.answer('named')
  },
  async 'an event stream by POST'(query, operationName) {
    await using stream = await EventStreamReader.open(bed.server.url, { query, operationName })
    return await stream.result()
  },
  async 'an event stream by GET'(query, operationName) {
    await using stream = await EventStreamReader.open(bed.server.url, { query, operationName, method: 'GET' })
    return await stream.result()
  },
}

test.each(Object.entries(ways))('an empty operationName is as none, by %s', async (way, ask) => {
  const isAda = { data: { viewer: { userId: 'ada' } } }
  for (const query of ['{ viewer { userId } }', 'query Who { viewer { userId } }']) {
    expect(await ask(query, '')).toEqual(isAda)
  }
  expect((await ask('query A { viewer { id } } query B { viewer { id } }', '')).errors).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT', path: 'operationName' } },
  ])
  expect(await ask('query A { viewer { id } } query B { viewer { userId } }', 'B')).toEqual(isAda)
  if (way === 'GET' || way === 'POST') return

  await bed.server.as().append('named', 'x')
  const query = 'subscription Named { messageAppended(conversationId: "named", after: "") { node { seq } } }'
  expect((await ask(query, '')).data).toEqual({ messageAppended: { node: { seq: 1 } } })
})
