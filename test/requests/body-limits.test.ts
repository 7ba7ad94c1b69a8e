import { describe, expect, test } from 'vitest'
import { measure } from '../../src/server/request/body-limits.ts'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const bed = useBed({ MAX_BODY_VALUES: '2000', MAX_BODY_KEYS: '100' })

const megabytes = 4 * 1024 * 1024 - 2_000
/** What of the whole body is not `more`: the body itself, `query`, its text, `extensions`, its object, and `more`. */
const around = 6

function bodyWith(more: string): string {
  return `{"query":"{ viewer { userId } }","extensions":{"more":${more}}}`
}

function list(count: number, item: (index: number) => string): string {
  return `[${Array.from({ length: count }, (_, index) => item(index))}]`
}

function nest(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`
}

const edges: [string, string, string, object][] = [
  ['depth', bodyWith(nest(998)), bodyWith(nest(999)), { code: 'BAD_USER_INPUT', path: 'body' }],
  [
    'numbers',
    bodyWith(list(2_000 - around - 1, () => '1')),
    bodyWith(list(2_000 - around, () => '1')),
    { code: 'PAYLOAD_TOO_LARGE', path: 'body', limit: 2_000, actual: 2_001 },
  ],
  [
    'texts, with what looks like JSON in them',
    bodyWith(list(2_000 - around - 1, () => '"\\"[{,1:\\\\"')),
    bodyWith(list(2_000 - around, () => '"\\"[{,1:\\\\"')),
    { code: 'PAYLOAD_TOO_LARGE', path: 'body', limit: 2_000, actual: 2_001 },
  ],
  [
    'different keys',
    bodyWith(list(97, (index) => `{"k${index}":0}`)),
    bodyWith(list(98, (index) => `{"k${index}":0}`)),
    { code: 'PAYLOAD_TOO_LARGE', path: 'body', limit: 100, actual: 101 },
  ],
]

describe('what a body may cost to parse', () => {
  test.each(edges)('%s: the limit over HTTP', async (_what, fits, over, extensions) => {
    const accepted = (await (await bed.server.as().post(fits)).json()) as Answer
    expect(accepted).toEqual({ data: { viewer: { userId: 'ada' } } })
    const response = await bed.server.as().post(over)
    expect(response.status).toBe('limit' in extensions ? 413 : 400)
    expect(((await response.json()) as Answer).errors).toMatchObject([{ extensions }])
  })

  test.each(['extensions', 'variables'])('the limits hold for %s in a URL', async (name) => {
    const ask = (json: string) =>
      fetch(`${bed.server.url}/graphql?query={viewer{userId}}&${name}=${encodeURIComponent(json)}`)
    expect((await ask(`{"a":${nest(999)}}`)).status).toBe(200)
    const deep = (await (await ask(`{"a":${nest(1_000)}}`)).json()) as Answer
    expect(deep.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', path: name } }])
    const long = (await (await ask(`{"a":${list(2_000, () => '1')}}`)).json()) as Answer
    expect(long.errors).toMatchObject([{ extensions: { code: 'PAYLOAD_TOO_LARGE', path: name } }])
  })

  test.each(edges)('%s: a message over the limit closes its socket', async (_what, _fits, over) => {
    const wire = await Wire.open(bed.server.url)
    wire.send(`{"id":"1","type":"subscribe","payload":${over}}`)
    expect((await wire.closed).code).toBe(1009)
  })

  test('the same key in many objects counts once', async () => {
    const { data } = (await (await bed.server.as().post(bodyWith(list(300, () => '{"k":0}')))).json()) as Answer
    expect(data).toEqual({ viewer: { userId: 'ada' } })
  })
})

describe('how much of a body is looked at', () => {
  const limits = { bodyValues: 2_000, bodyKeys: 100 }

  test.each([
    ['brackets', '[', 1_001],
    ['objects in objects', '{"a":', 1_001 * 5],
    ['numbers', '1,', 2_001 * 2],
    ['empty lists', '[],', 2_001 * 3],
    ['keys', '"k":1,', 1_001 * 6],
  ])('megabytes of %s: no more than what passes a limit', (_what, piece, most) => {
    const { read, depth, values } = measure(piece.repeat(megabytes / piece.length), limits)
    expect(read).toBeLessThanOrEqual(most)
    expect(depth > 1_000 || values > 2_000).toBe(true)
  })

  test.each([
    ['one text', `"${'x'.repeat(megabytes)}"`],
    ['one number', '1'.repeat(megabytes)],
    ['white space', ' '.repeat(megabytes)],
    ['commas', ','.repeat(megabytes)],
    ['escapes without an end', `"${'\\"'.repeat(megabytes / 2)}`],
  ])('megabytes of %s: each character once', (_what, text) => {
    const { read, values } = measure(text, limits)
    expect(read).toBeGreaterThanOrEqual(text.length - 1)
    expect(read).toBeLessThanOrEqual(text.length + 1)
    expect(values).toBeLessThanOrEqual(1)
  })
})
