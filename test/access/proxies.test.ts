import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { Proxies } from '../../src/server/request/proxies.ts'
import { useBed } from '../support/bed.ts'
import { request } from '../support/network/request.ts'
import { Wire } from '../support/network/wire.ts'
import { logged } from '../support/observe/logged.ts'

const proxies = new Proxies(['10.0.0.0/8', '2001:db8::/32'])
const from = (remoteAddress: string | undefined, headers: Record<string, string>) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage

const caller = '192.0.2.1'
const proxy = '10.0.0.7'

test.each<[what: string, connection: string | undefined, headers: Record<string, string>, address: string | null]>([
  ['nobody is trusted with headers but the proxies', caller, { 'x-forwarded-for': '198.51.100.1' }, caller],
  ['nor with Forwarded', caller, { forwarded: 'for=198.51.100.1' }, caller],
  ['just outside of the network', '11.0.0.0', { 'x-forwarded-for': caller }, '11.0.0.0'],
  ['at the end of the network', '10.255.255.255', { 'x-forwarded-for': caller }, caller],
  ['a proxy without a header is the caller', proxy, {}, proxy],
  ['X-Forwarded-For of a proxy', proxy, { 'x-forwarded-for': caller }, caller],
  ['of a proxy in IPv6 clothes', '::ffff:10.0.0.7', { 'x-forwarded-for': '::ffff:192.0.2.1' }, caller],
  [
    'what the caller itself has sent is before that, and is not read',
    proxy,
    { 'x-forwarded-for': `10.0.0.1, 203.0.113.9, ${caller}` },
    caller,
  ],
  ['through two proxies', proxy, { 'x-forwarded-for': `203.0.113.9, ${caller}, 10.0.0.8` }, caller],
  ['all are proxies', proxy, { 'x-forwarded-for': '10.0.0.9, 10.0.0.8' }, '10.0.0.9'],
  ['with a port', proxy, { 'x-forwarded-for': `${caller}:5000` }, caller],
  ['IPv6 in its one form', proxy, { 'x-forwarded-for': '2001:DB9:0:0::1' }, '2001:db9::1'],
  ['IPv6 with a port', proxy, { 'x-forwarded-for': '[2001:db9::1]:5000' }, '2001:db9::1'],
  ['a proxy of IPv6', '2001:db8::7', { 'x-forwarded-for': caller }, caller],
  ['no address', proxy, { 'x-forwarded-for': 'unknown' }, proxy],
  ['no address behind a proxy', proxy, { 'x-forwarded-for': 'unknown, 10.0.0.8' }, '10.0.0.8'],
  ['empty', proxy, { 'x-forwarded-for': '' }, proxy],
  ['Forwarded of a proxy', proxy, { forwarded: `for=${caller};proto=https` }, caller],
  ['Forwarded through two', proxy, { forwarded: `for=203.0.113.9, For="${caller}:80", for=10.0.0.8` }, caller],
  ['Forwarded with IPv6', proxy, { forwarded: 'for="[2001:db9::1]:80"' }, '2001:db9::1'],
  ['Forwarded with a hidden name', proxy, { forwarded: 'for=_hidden' }, proxy],
  ['Forwarded with an open quote of the caller', proxy, { forwarded: `for="203.0.113.9, for=${caller}` }, caller],
  ['both agree', proxy, { forwarded: `for=${caller}`, 'x-forwarded-for': caller }, caller],
  ['both disagree, so one is of the caller', proxy, { forwarded: 'for=203.0.113.9', 'x-forwarded-for': caller }, proxy],
  ['the connection is gone', undefined, { 'x-forwarded-for': caller }, null],
])('the address of a caller: %s', (_what, connection, headers, address) => {
  expect(proxies.addressOf(from(connection, headers))).toBe(address)
  if (connection !== undefined) {
    expect(new Proxies([]).addressOf(from(connection, headers))).toBe(connection.replace('::ffff:', ''))
  }
})

test.each<[origin: string, connection: string, headers: Record<string, string>, isOwn: boolean]>([
  ['https://chat.example', caller, { host: 'chat.example' }, true],
  ['http://chat.example', caller, { host: 'chat.example:80' }, true],
  ['https://chat.example:8443', caller, { host: 'chat.example:8443' }, true],
  ['https://chat.example', caller, { host: 'chat.example:8443' }, false],
  ['https://chat.example', caller, { host: 'inner', 'x-forwarded-host': 'chat.example' }, false],
  ['https://chat.example', proxy, { host: 'inner', 'x-forwarded-host': 'chat.example' }, true],
  ['https://chat.example', proxy, { host: 'inner', forwarded: 'for=1.1.1.1;host=chat.example;proto=https' }, true],
  ['https://inner', proxy, { host: 'inner', 'x-forwarded-host': 'chat.example' }, false],
  ['http://chat.example', proxy, { host: 'chat.example', 'x-forwarded-proto': 'https' }, false],
  ['https://chat.example', proxy, { host: 'chat.example', 'x-forwarded-proto': 'http, https' }, true],
  ['http://chat.example', caller, { host: 'chat.example', 'x-forwarded-proto': 'https' }, true],
  ['null', caller, { host: 'chat.example' }, false],
])("%s is the server's own, of %s with %j: %s", (origin, connection, headers, isOwn) => {
  expect(proxies.isOwnOrigin(origin, from(connection, headers))).toBe(isOwn)
})

const whoAmI = 'query Who { viewer { userId } }'

describe.each([
  ['127.0.0.1', caller],
  ['10.0.0.7', '127.0.0.1'],
])('TRUST_PROXY=%s', (trusted, address) => {
  const bed = useBed({ TRUST_PROXY: trusted, ALLOW_UNAUTHENTICATED: 'true' })

  test(`a request that names ${caller} is logged as of ${address}, over HTTP and on a socket`, async () => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': caller }
    await request(`${bed.server.url}/graphql`, 'POST', headers, JSON.stringify({ query: whoAmI }))
    await using wire = await Wire.open(bed.server.url, {}, { 'x-forwarded-for': caller })
    await wire.ask(whoAmI)
    for (const over of ['http', 'websocket']) {
      expect(await logged(bed.server, (line) => line.operation === 'Who' && line.over === over)).toMatchObject({
        address,
      })
    }
  })
})
