import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StartupError } from '../../src/errors.ts'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { createDatabase } from '../support/database/database.ts'
import { Wire } from '../support/network/wire.ts'
import { serve } from '../support/server.ts'

const who = 'query Who { viewer { userId } }'
const append =
  'mutation Append($id: ID!) { appendMessage(input: { conversationId: $id, ifMissing: CREATE, message: { role: USER, content: "x" } }) { message { seq } } }'
const follow = 'subscription Follow($id: ID!) { messageAppended(conversationId: $id, after: "") { node { content } } }'
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const by = (sha256Hash: unknown) => ({ persistedQuery: { version: 1, sha256Hash } })

const settings: Record<string, string> = {}
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trusted-'))
  settings.TRUSTED_DOCUMENTS = folder
  await mkdir(join(folder, 'inner'))
  await writeFile(join(folder, 'who.graphql'), `${who}\n`)
  await writeFile(join(folder, 'inner', 'chat.gql'), `${append}\n\n${follow}\n`)
  await writeFile(join(folder, 'notes.txt'), '{ viewer { id } }')
})
const bed = useBed(settings)
afterAll(() => rm(settings.TRUSTED_DOCUMENTS as string, { recursive: true }))

const chat = `${append}\n\n${follow}`

interface Asked {
  readonly query?: string
  readonly operationName?: string
  readonly variables?: object
  readonly extensions?: object
}

/** The answers over POST, GET, an event stream by both, and a socket. */
async function answers(asked: Asked): Promise<Answer[]> {
  const headers = { 'x-user-id': 'ada', accept: '*/*' }
  const body = JSON.stringify(asked)
  const search = new URLSearchParams(
    Object.entries(asked).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
  const read = async (path: string, init: RequestInit = { headers }) => {
    const text = await (await fetch(`${bed.server.url}${path}`, init)).text()
    return JSON.parse(/^data: (\{.+)$/m.exec(text)?.[1] ?? text) as Answer
  }
  const post = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }
  await using wire = await Wire.open(bed.server.url)
  wire.send({ id: 'one', type: 'subscribe', payload: { query: '', ...asked } })
  return [
    await read('/graphql', post),
    await read(`/graphql?${search}`),
    await read('/graphql/stream', post),
    await read(`/graphql/stream?${search}`),
    await wire.answer('one'),
  ]
}

test.each<[what: string, asked: Asked]>([
  ['its text', { query: who }],
  ['its text as the file has it', { query: `${who}\n` }],
  ['its SHA-256', { extensions: by(hash(who)) }],
  ['the SHA-256 of its file', { extensions: by(hash(`${who}\n`)) }],
  ['an empty text and its SHA-256', { query: '', extensions: by(hash(who)) }],
  ['its text and a SHA-256 of another', { query: who, extensions: by(hash('{ viewer { id } }')) }],
])('a trusted document is answered on every way by %s', async (_what, asked) => {
  for (const answer of await answers(asked)) expect(answer).toEqual({ data: { viewer: { userId: 'ada' } } })
})

test.each<[what: string, asked: Asked]>([
  ['of another text', { query: '{ viewer { id } }' }],
  ['that differs by a space', { query: `${who} ` }],
  ['of another SHA-256', { extensions: by(hash('{ viewer { id } }')) }],
  ['of no SHA-256', { extensions: by(5) }],
  ['of a name that every object has', { extensions: by('constructor') }],
  ['of a text beside the SHA-256 of a trusted one', { query: '{ viewer { id } }', extensions: by(hash(who)) }],
  ['for introspection', { query: '{ __schema { queryType { name } } }' }],
  ['that is none', { query: '{' }],
])('a document %s is refused on every way, with a reason', async (_what, asked) => {
  for (const { data, errors } of await answers(asked)) {
    expect(data ?? null).toBeNull()
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'FORBIDDEN', reason: 'NOT_TRUSTED' }])
  }
})

test('a trusted document with two operations is known by its hash for both: a mutation, and a subscription on a socket', async () => {
  const ada = bed.server.as()
  const extensions = by(hash(chat))
  const sent = await ada.post(JSON.stringify({ extensions, operationName: 'Append', variables: { id: 'c' } }))
  expect(await sent.json()).toEqual({ data: { appendMessage: { message: { seq: 1 } } } })
  await using wire = await Wire.open(bed.server.url)
  const payload = { query: '', extensions, operationName: 'Follow', variables: { id: 'c' } }
  wire.send({ id: 'one', type: 'subscribe', payload })
  expect(await wire.answer('one')).toMatchObject({ data: { messageAppended: { node: { content: 'x' } } } })
})

test('an untrusted document is 403, and GraphiQL is not served', async () => {
  expect((await bed.server.as().post(JSON.stringify({ query: '{ viewer { id } }' }))).status).toBe(403)
  expect((await fetch(`${bed.server.url}/graphiql`)).status).toBe(404)
})

test.each<[what: string, files: Record<string, string>, fault: RegExp]>([
  ['none', {}, /TRUSTED_DOCUMENTS: the folder .* has no \.graphql files\./],
  [
    'one that is not valid',
    { 'a.graphql': '{ nothing }' },
    /TRUSTED_DOCUMENTS: .*a\.graphql: Cannot query field "nothing"/,
  ],
  ['one that is no document', { 'a.graphql': '{' }, /TRUSTED_DOCUMENTS: .*a\.graphql: Syntax Error/],
  ['one that reads the schema', { 'a.graphql': '{ __schema { queryType { name } } }' }, /a\.graphql: .*introspection/],
])('a folder with %s is a fault of the start', async (_what, files, fault) => {
  await using database = await createDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'trusted-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const started = serve(database.url, { TRUSTED_DOCUMENTS: folder })
  await expect(started).rejects.toThrow(fault)
  await expect(started).rejects.toThrow(StartupError)
  await rm(folder, { recursive: true })
  await expect(serve(database.url, { TRUSTED_DOCUMENTS: folder })).rejects.toThrow(/cannot be read \(ENOENT\)/)
})
