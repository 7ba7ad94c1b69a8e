import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'
import { buildPrograms, Program } from '../support/program/program.ts'

const bed = useBed()
const guide = useGuide('docs/commands.md')
const blocks = guide.take('sh', 5)
let directory: string

beforeAll(async () => {
  buildPrograms()
  directory = await mkdtemp(join(tmpdir(), 'commands-guide-'))
  const message = { role: 'user', content: 'Hello' }
  await writeFile(join(directory, 'conversations.json'), JSON.stringify({ id: 'c', messages: [message] }))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

test('docs/commands.md names every command', () => {
  for (const { name } of commands) expect(guide.text).toMatch(new RegExp(`^\\| \`${name}[ \`]`, 'm'))
})

test('the commands of docs/commands.md run word for word, in their order', async () => {
  const lines = blocks.flatMap((block) => block.trim().split('\n'))
  expect(lines).toHaveLength(10)
  const outcomes: unknown[] = []
  for (const line of lines) {
    const [name, ...args] = line.split(' ')
    expect(name).toBe('colloquy')
    await using program = new Program('src/main.js', args, {
      DATABASE_URL: bed.database.url,
      COLLOQUY_URL: `${bed.server.url}/graphql`,
      AUTH_SECRET: 'a secret that is long enough for HS256',
      // The folder in which npm was called.
      INIT_CWD: directory,
    })
    const { code } = await program.exited
    outcomes.push([line, code, program.stderr])
    // The cluster of the tests has no fsync.
    if (args[0] === 'doctor') expect(program.stdout.match(/^wrong .*$/gm) ?? []).toEqual(doctored(code))
  }
  expect(outcomes).toEqual(lines.map((line) => [line, line === 'colloquy doctor' ? expect.any(Number) : 0, '']))
})

/** What is wrong with the tests' cluster: no fsync, unless TEST_DATABASE_URL names one that has it. */
function doctored(code: number | null): unknown[] {
  return code === 0 ? [] : [expect.stringMatching(/^wrong {4}durability {2}fsync is off/)]
}
