import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { isLong } from '../support/long.ts'
import { readMessages, summary, useImports } from '../support/program/import.ts'

const bed = useBed()
const imports = useImports(bed)

const conversation = (id: string, ...words: string[]) => ({
  id,
  messages: words.map((content) => ({ role: 'user', content })),
})
const tricky = 'brackets ]}[{ "quotes" \\ \\" and\nlines → 東京 👩‍👩‍👧‍👦'
const pretty = (value: unknown) => JSON.stringify(value, null, 2)
const both = [conversation('one', 'a', tricky), conversation('two', 'b')]

describe('a file', () => {
  test.each<[string, string]>([
    ['with one conversation a line', both.map((one) => JSON.stringify(one)).join('\n')],
    ['with lines that end as on Windows, and blank ones', both.map((one) => JSON.stringify(one)).join('\r\n\r\n \r\n')],
    ['with a list on one line', JSON.stringify(both)],
    ['with a pretty list', pretty(both)],
    ['with a list of lines', `[\n${both.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`],
    [
      'with a byte order mark and a pretty list that ends lines as on Windows',
      `\ufeff${pretty(both).replaceAll('\n', '\r\n')}`,
    ],
    ['with pretty conversations, one after the other', both.map(pretty).join('\n\n')],
    ['with a byte order mark and one pretty conversation', `\ufeff${pretty(both[0])}`],
    ['with a list in a list for each conversation', `[${both.map((one) => JSON.stringify(one.messages)).join(',')}]`],
    ['with a list of messages a line', both.map((one) => JSON.stringify(one.messages)).join('\n')],
    ['with a pretty list of messages', pretty(both[0]?.messages)],
  ])('%s', async (name, content) => {
    const isOne = /one pretty|pretty list of messages/.test(name)
    const path = await imports.write('file.json', content)
    const [conversations, messages] = isOne ? [1, 2] : [2, 3]
    expect(await imports.run(path, name)).toEqual({ code: 0, stdout: summary(conversations, messages, 0), stderr: '' })
    expect(await imports.run(path, name)).toEqual({ code: 0, stdout: summary(conversations, 0, messages), stderr: '' })
    const list = await bed.server
      .as({ 'x-user-id': Buffer.from(name).toString('latin1') })
      .get('{ conversations(first: 5) { nodes { id lastSeq } } }')
    const [longer] = list.conversations.nodes.filter((one: { lastSeq: number }) => one.lastSeq === 2)
    const read = await readMessages(bed, longer.id, name)
    expect(read.map(({ content: text }) => text)).toEqual(['a', tricky])
  })

  test('that is read in the format that --format names', async () => {
    const path = await imports.write('named.json', JSON.stringify(both[0]))
    const wrong = await imports.run(path, 'ada', {}, ['--format', 'claude'])
    expect(wrong).toMatchObject({ code: 1, stderr: 'Line 1 ("one"): must be a JSON object with "chat_messages".\n' })
    const right = await imports.run(path, 'ada', {}, ['--format=openai'])
    expect(right).toEqual({ code: 0, stdout: summary(1, 2, 0), stderr: '' })
  })
})

describe('a faulty conversation is told, and the others are stored:', () => {
  const good = JSON.stringify(conversation('good', 'g'))
  test.each<[string, string, string]>([
    ['the first line', `{"id": \n${good}\n${good}`, 'Line 1: must be JSON.'],
    ['a member of a list', `[${good}, {"id": x}, 7, "text", ${good}]`, 'Line 1, [1]: must be JSON.'],
    [
      'one that the file ends within',
      `[${good},\n${good},\n{"id": "cut", "messages": [`,
      'Line 3, [2]: the file ends within this value.',
    ],
    ['a pretty one', `[\n  ${good},\n  {\n    "id": 1e\n  },\n  ${good}\n]`, 'Line 3, [1]: must be JSON.'],
  ])('%s', async (name, content, sentence) => {
    const { code, stdout, stderr } = await imports.run(await imports.write('file.json', content), name)
    expect(stderr.split('\n')[0]).toBe(sentence)
    expect(stdout).toMatch(/^Conversations +2\nMessages stored +1\nMessages there before +1\n/)
    expect(code).toBe(1)
  })
})

test('a message that is nested deeper than the stack is told, and the others are stored', async () => {
  const deep = (times: number) => `${'['.repeat(times)}${']'.repeat(times)}`
  const message = (more: string) => `{"role": "user", "content": "x"${more}}`
  const content = `[{"id": "deep", "messages": [${message('')}, ${message(`, "seed": ${deep(200_000)}`)}, ${message('')},
    {"role": "user", "content": ${deep(200_000)}}]}, {"id": "deeper", "messages": [${message('')}], "more": ${deep(200_000)}}]`
  const { code, stdout, stderr } = await imports.run(await imports.write('deep.json', content), 'deep')
  expect(stderr.split('\n').sort()).toEqual([
    '',
    'Line 1, [0] ("deep"): messages[1]: is nested too deeply.',
    'Line 1, [0] ("deep"): messages[3]: is nested too deeply.',
    'Line 2, [1] ("deeper"): is nested too deeply.',
  ])
  expect(stdout).toContain('Conversations          1\nMessages stored        2\n')
  expect(code).toBe(1)
})

test.skipIf(!isLong)('a file of 100 MB on one line needs the memory of a few conversations', async () => {
  const count = 50
  const messages = (index: number) =>
    ['user', 'assistant'].map((role) => ({ role, content: `${index}${'x'.repeat(1_000_000)}` }))
  const path = await writeList(function* () {
    for (let index = 0; index < count; index++) yield JSON.stringify({ id: `m${index}`, messages: messages(index) })
  })
  const env = { NODE_OPTIONS: '--max-old-space-size=64' }
  expect(await imports.run(path, 'large', env)).toEqual({ code: 0, stdout: summary(count, 2 * count, 0), stderr: '' })
})

test('a conversation that is too long to be held is told, and the others are stored', async () => {
  const megabyte = 'x'.repeat(1_000_000)
  const path = await writeList(function* () {
    yield JSON.stringify(conversation('before', 'b'))
    yield `{"id": "long", "messages": [{"role": "user", "content": "${megabyte.repeat(70)}"}]}`
    yield JSON.stringify(conversation('after', 'a'))
  })
  const { code, stdout, stderr } = await imports.run(path, 'long', { NODE_OPTIONS: '--max-old-space-size=64' })
  expect(stderr).toBe('Line 1, [1]: has 70000061 bytes, and at most 67108864 are read.\n')
  expect(stdout).toContain('Conversations          2\n')
  expect(code).toBe(1)
})

/** A file with a list on one line. */
async function writeList(members: () => Iterable<string>): Promise<string> {
  const path = join(imports.directory, `${randomUUID()}.json`)
  const file = createWriteStream(path)
  let separator = '['
  for (const member of members()) {
    if (!file.write(separator + member)) await once(file, 'drain')
    separator = ','
  }
  file.end(']')
  await once(file, 'close')
  return path
}
