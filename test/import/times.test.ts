import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { recordStatements } from '../support/database/statements.ts'
import { readStored, type Stored, summary, useImports } from '../support/program/import.ts'
import { serve } from '../support/server.ts'

const bed = useBed()
const imports = useImports(bed)

/** A conversation of ChatGPT's export in which a question was asked again; the first answer is the one people saw. */
function chatGpt(id: string, at: number): Stored {
  const said = (node: string, role: string, parent: string | null, children: string[], time: number | null) => ({
    id: node,
    parent,
    children,
    message: { id: node, author: { role }, create_time: time, content: { content_type: 'text', parts: [node] } },
  })
  const nodes = [
    said('q', 'user', null, ['a', 'b'], at + 1),
    said('a', 'assistant', 'q', [], at + 2),
    said('b', 'assistant', 'q', [], null),
  ]
  const mapping = Object.fromEntries(nodes.map((node) => [node.id, node]))
  return { id, title: id, create_time: at, update_time: at + 2, mapping, current_node: 'a' }
}

function claude(uuid: string, at: number): Stored {
  const time = (seconds: number) => new Date((at + seconds) * 1_000).toISOString()
  const said = (id: string, sender: string, seconds: number) => ({
    uuid: id,
    sender,
    content: [{ type: 'text', text: id }],
    created_at: time(seconds),
  })
  const messages = [said('h', 'human', 1), said('a', 'assistant', 2)]
  return { uuid, name: uuid, created_at: time(0), updated_at: time(900), chat_messages: messages }
}

const day = 24 * 60 * 60
const of2024 = Date.UTC(2024, 0, 1) / 1_000
const iso = (seconds: number) => new Date(seconds * 1_000).toISOString().replace('.000', '')

async function order(user: string): Promise<string[]> {
  const { conversations } = await bed.server.as({ 'x-user-id': user }).get('{ conversations { nodes { id } } }')
  return conversations.nodes.map(({ id }: Stored) => id)
}

test.each([
  ['ChatGPT', chatGpt, 3],
  ['Claude', claude, 2],
])(
  'the list is in the order of the times of an export of %s, whatever its order and what is here already',
  async (user, read, count) => {
    await bed.server.as({ 'x-user-id': user }).append('of now', 'x')
    const days = [5, 1, 9, 3, 7]
    const file = days.map((n) => read(`day ${n}`, of2024 + n * day))
    expect((await imports.runValue(file, user)).stdout).toBe(summary(5, 5 * count, 0))
    expect(await order(user)).toEqual(['of now', 'day 9', 'day 7', 'day 5', 'day 3', 'day 1'])
    const stored = await readStored(bed, 'day 5', user)
    const at = of2024 + 5 * day
    expect(stored).toMatchObject({ createdAt: iso(at), updatedAt: iso(at + 2) })
    expect(stored?.times.slice(0, 2)).toEqual([iso(at + 1), iso(at + 2)])
    expect(stored?.history).toEqual(['q', 'a'].map((id) => (user === 'Claude' && id === 'q' ? 'h' : id)))
    // Again, and with a newer one.
    const newer = [...file, read('day 4', of2024 + 4 * day)]
    expect((await imports.runValue(newer, user)).stdout).toBe(summary(6, count, 5 * count))
    expect(await order(user)).toEqual(['of now', 'day 9', 'day 7', 'day 5', 'day 4', 'day 3', 'day 1'])
  },
)

test('a conversation without any time stands at the time of the import', async () => {
  await imports.runValue([{ id: 'timed', messages: [{ role: 'user', content: 'x', created_at: of2024 }] }], 'untimed')
  await imports.runValue([{ id: 'plain', title: 'T', messages: [{ role: 'user', content: 'x' }] }], 'untimed')
  expect(await order('untimed')).toEqual(['plain', 'timed'])
  const { createdAt, times } = (await readStored(bed, 'plain', 'untimed')) as Stored
  expect([createdAt, ...times].every((time) => Date.parse(time) > Date.now() - 600_000)).toBe(true)
})

test('a conversation with branches goes in batches of a hundred messages', async () => {
  const mapping: Record<string, Stored> = {}
  for (let n = 0; n < 250; n++) {
    const message = { author: { role: 'user' }, content: { content_type: 'text', parts: [`${n}`] } }
    const children = n === 249 ? [] : [`n${n + 1}`]
    mapping[`n${n}`] = { id: `n${n}`, parent: n === 0 ? null : `n${n - 1}`, children, message }
  }
  const file = [{ id: 'long', create_time: of2024, mapping, current_node: 'n249' }]
  const sent = await recordStatements(bed.database, () => imports.runValue(file, 'batches'))
  expect(sent.filter(({ name }) => /^append-import-(many|move)$/.test(name ?? ''))).toHaveLength(3)
  const { conversation } = await bed.server
    .as({ 'x-user-id': 'batches' })
    .get('{ conversation(id: "long") { lastSeq history(last: 1) { clientId } } }')
  expect(conversation).toEqual({ lastSeq: 250, history: [{ clientId: 'n249' }] })
})

test('with a bearer token, which may not bring times, everything is stored, and times are in sentAt', async () => {
  const secret = 'a secret of thirty-two bytes, or more'
  const identity = { AUTH_SECRET: secret, AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'colloquy' }
  await using server = await serve(bed.database.url, identity)
  const token = await new SignJWT({ sub: 'eve', iss: 'https://id.example', aud: 'colloquy' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))
  const path = await imports.write('token.json', JSON.stringify([chatGpt('day', of2024)]))
  const env = { COLLOQUY_URL: `${server.url}/graphql`, COLLOQUY_TOKEN: token, COLLOQUY_USER: '' }
  expect(await imports.run(path, '', env)).toEqual({ code: 0, stdout: summary(1, 3, 0), stderr: '' })
  const stored = await readStored(bed, 'day', 'eve')
  expect(stored?.messages.map(({ sentAt }: Stored) => sentAt)).toEqual([iso(of2024 + 1), iso(of2024 + 2), undefined])
  expect(stored?.history).toEqual(['q', 'a'])
  expect(Date.parse(stored?.createdAt)).toBeGreaterThan(Date.now() - 600_000)
})
