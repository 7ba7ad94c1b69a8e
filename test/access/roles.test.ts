import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Answer, Identity } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { EventStreamReader, send } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'
import { logged } from '../support/observe/logged.ts'

const secret = 'a secret of thirty-two bytes, or more'
const hash = (key: string) => createHash('sha256').update(key).digest('hex')
const roles = ['read', 'write', 'support', 'import'] as const
const keys = [...roles.map((role) => `${role}er:${hash(role)}:${role}`), `plain:${hash('plain')}`]
const bed = useBed({ AUTH_SECRET: secret, AUTH_SERVICE_KEYS: keys.join(), AUTH_ROLES_CLAIM: 'scope' })

async function token(scope: unknown, sub = 'ada'): Promise<Identity> {
  const claims = scope === undefined ? { sub } : { sub, scope }
  const signed = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h')
  return { authorization: `Bearer ${await signed.sign(new TextEncoder().encode(secret))}` }
}
const key = (name: string): Identity => ({ 'x-service-key': name, 'x-user-id': 'ada' })

const appending = (createdAt = '') =>
  `mutation { appendMessage(input: { conversationId: "c", ifMissing: CREATE, message: { role: USER, content: "x" ${createdAt} } }) { replayed } }`
const withTime = appending(', createdAt: "2020-01-01T00:00:00Z"')

/** What is answered on each way: the code of the refusal, or `done`. */
async function outcomes(identity: Identity, query: string): Promise<string[]> {
  const of = ({ errors }: Answer) => errors?.[0]?.extensions.code ?? 'done'
  await using wire = await Wire.open(bed.server.url, identity)
  const response = await send(bed.server.url, { identity, query })
  const text = await response.text()
  const streamed = response.ok ? /^data: (.+)$/m.exec(text)?.[1] : text
  return [of(await bed.server.as(identity).ask(query)), of(await wire.ask(query)), of(JSON.parse(streamed ?? ''))]
}

const everywhere = (outcome: string) => [outcome, outcome, outcome]

const callers: [who: string, identity: () => Identity | Promise<Identity>, writes: boolean, bringsTimes: boolean][] = [
  ['a user without roles', () => token(undefined), true, false],
  ['a user with roles of other programs', () => token('openid read import operator colloquy'), true, false],
  ['a reader', () => token('openid colloquy:read'), false, false],
  ['a reader by a list', () => token(['colloquy:read']), false, false],
  ['a user that imports', () => token('colloquy:import'), true, true],
  ['a reader that imports', () => token('colloquy:import colloquy:read'), false, false],
  ['an operator', () => token('colloquy:operator'), true, false],
  ['a key that reads', () => key('read'), false, false],
  ['a key that writes', () => key('write'), true, false],
  ['a user that supports', () => token('colloquy:support'), true, false],
  ['a key that supports', () => key('support'), true, false],
  ['a key that imports', () => key('import'), true, true],
  ['a key without a role', () => key('plain'), true, true],
]

test.each(callers)(
  '%s may or may not write and bring times, on every way',
  async (_who, identity, writes, bringsTimes) => {
    const who = await identity()
    expect(await outcomes(who, appending())).toEqual(everywhere(writes ? 'done' : 'FORBIDDEN'))
    expect(await outcomes(who, withTime)).toEqual(everywhere(bringsTimes ? 'done' : 'FORBIDDEN'))
    expect(await outcomes(who, '{ conversations(first: 1) { nodes { id } } }')).toEqual(everywhere('done'))
  },
)

test('a reader follows, and its mutation is 403', async () => {
  await bed.server.as(await token(undefined)).append('followed', 'first')
  const identity = await token('colloquy:read')
  const query = 'subscription { messageAppended(conversationId: "followed", after: "") { node { content } } }'
  await using wire = await Wire.open(bed.server.url, identity)
  await using stream = await EventStreamReader.open(bed.server.url, { identity, query })
  const first = { messageAppended: { node: { content: 'first' } } }
  expect([(await wire.ask(query)).data, (await stream.result()).data]).toEqual([first, first])
  const reader = bed.server.as(identity)
  expect((await reader.post(JSON.stringify({ query: appending() }))).status).toBe(403)
  // Only the operation that is named runs.
  const both = `${appending().replace('mutation', 'mutation Write')} query Read { viewer { userId } }`
  const read = await reader.post(JSON.stringify({ query: both, operationName: 'Read' }))
  expect(await read.json()).toEqual({ data: { viewer: { userId: 'ada' } } })
  expect((await reader.post(JSON.stringify({ query: both, operationName: 'Write' }))).status).toBe(403)
})

test.each([5, null, true, { role: 'colloquy:read' }, ['colloquy:read', 5]])(
  'a claim of roles that is %j is refused',
  async (scope) => {
    expect((await bed.server.as(await token(scope)).fail('{ viewer { id } }')).extensions.code).toBe('UNAUTHENTICATED')
  },
)

describe('an operator', () => {
  const whoAmI = 'query Who { viewer { userId } }'
  const is = (userId: string) => ({ data: { viewer: { userId } } })

  test('acts for any user, in a header and for one operation, and else for itself; the log names both', async () => {
    const identity = await token('colloquy:operator', 'olga')
    expect(await bed.server.as(identity).ask(whoAmI)).toEqual(is('olga'))
    expect(await bed.server.as({ ...identity, 'x-user-id': 'ada' }).ask(whoAmI)).toEqual(is('ada'))
    await using wire = await Wire.open(bed.server.url, identity)
    expect(await wire.ask(whoAmI)).toEqual(is('olga'))
    expect(await wire.ask(whoAmI, undefined, { userId: 'bob' })).toEqual(is('bob'))
    for (const viewer of ['ada', 'bob']) {
      expect(await logged(bed.server, (line) => line.viewer === viewer && line.operation === 'Who')).toMatchObject({
        actor: 'user olga',
      })
    }
    await bed.server.as({ ...key('plain'), 'x-user-id': 'eve' }).ask(whoAmI)
    expect(await logged(bed.server, (line) => line.viewer === 'eve')).toMatchObject({ actor: 'backend plain' })
  })

  test('that is a reader changes nothing of another user', async () => {
    const identity = { ...(await token('colloquy:operator colloquy:read', 'olga')), 'x-user-id': 'ada' }
    expect(await outcomes(identity, appending())).toEqual(everywhere('FORBIDDEN'))
    expect(await outcomes(identity, whoAmI)).toEqual(everywhere('done'))
  })

  test('is one only by its role', async () => {
    const identity = { ...(await token('colloquy:import', 'olga')), 'x-user-id': 'ada' }
    expect((await bed.server.as(identity).fail(whoAmI)).extensions.code).toBe('UNAUTHENTICATED')
  })
})
