import { once } from 'node:events'
import { request as send } from 'node:http'
import { json } from 'node:stream/consumers'
import {
  brotliCompressSync,
  constants,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'

const limit = 64 * 1024
const bed = useBed({ MAX_BODY_BYTES: String(limit) })

const append = `mutation ($content: String) {
  appendMessage(input: { conversationId: "packed", ifMissing: CREATE, message: { role: USER, content: $content } }) {
    message { content }
  }
}`
const bodyOf = (content: string) => JSON.stringify({ query: append, variables: { content } })

type Pack = (body: string | Uint8Array) => Buffer

const encodings: readonly [name: string, pack: Pack][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['identity', (body) => Buffer.from(body)],
  ['', (body) => Buffer.from(body)],
]

async function post(body: Uint8Array, encoding: string) {
  const response = await bed.server.as().post(new Uint8Array(body), { 'content-encoding': encoding })
  return { status: response.status, headers: response.headers, answer: (await response.json()) as Answer }
}

describe.each(encodings)('%s', (encoding, pack) => {
  test('is unpacked, and its text comes back byte for byte', async () => {
    const content = 'Zoë 𝄞 \\ "\n'.repeat(500)
    const { status, answer } = await post(pack(bodyOf(content)), encoding)
    expect(status).toBe(200)
    expect(answer.data.appendMessage.message.content).toBe(content)
  })

  test('is taken up to MAX_BODY_BYTES after unpacking', async () => {
    const fits = bodyOf('').padEnd(limit)
    expect((await post(pack(fits), encoding)).status).toBe(200)
    const { status, answer } = await post(pack(`${fits} `), encoding)
    expect(status).toBe(413)
    expect(answer.errors).toMatchObject([{ extensions: { code: 'PAYLOAD_TOO_LARGE', path: 'body', limit } }])
  })

  test('is read as exactly as a body that is not packed', async () => {
    for (const body of [
      Buffer.from(bodyOf('é'), 'latin1'),
      '{"query":"{ viewer { id } }","variables":{"n":1,"n":2}}',
    ]) {
      const { status, answer } = await post(pack(body), encoding)
      expect(status).toBe(400)
      expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    }
  })
})

describe.each(encodings.filter(([encoding]) => encoding !== 'identity' && encoding !== ''))(
  'broken %s',
  (encoding, pack) => {
    const packed = pack(bodyOf('x'))

    test.each([
      ['cut off', packed.subarray(0, -3)],
      ['with something behind it', Buffer.concat([packed, Buffer.from('{}')])],
      ['not packed', Buffer.from(bodyOf('x'))],
    ])('is 400: %s', async (_how, body) => {
      const { status, answer } = await post(body, encoding)
      expect(status).toBe(400)
      expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', path: 'body' } }])
    })

    test('is not unpacked beyond the limit', async () => {
      const bomb = pack(Buffer.alloc(40 * limit))
      expect(bomb.length).toBeLessThan(limit)
      expect(await post(bomb, encoding)).toMatchObject({ status: 413 })
    })
  },
)

test('zstd with a window of more than 8 MiB is refused, because it would take that much memory', async () => {
  const packer = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: 26 } })
  packer.end(bodyOf('x'))
  const { status, answer } = await post(Buffer.concat(await packer.toArray()), 'zstd')
  expect(status).toBe(400)
  expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
})

test.each(['compress', 'gzip, br', 'gzip, gzip', 'none', '__proto__'])(
  'another encoding is 415 and says which are taken, before the body comes: %s',
  async (encoding) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding, 'content-length': limit }
    const begun = send(`${bed.server.url}/graphql`, { method: 'POST', headers })
    begun.flushHeaders()
    const [response] = await once(begun, 'response')
    expect([response.statusCode, response.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, br, zstd'])
    const { errors } = (await json(response)) as Answer
    expect(errors).toMatchObject([
      { message: expect.stringContaining('gzip, deflate, br, zstd'), extensions: { code: 'BAD_USER_INPUT' } },
    ])
    begun.destroy()
  },
)
