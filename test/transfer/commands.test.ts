import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { startServer } from '../../src/server/server.ts'
import { Api } from '../support/api.ts'
import { isLong } from '../support/long.ts'
import { buildPrograms, Program } from '../support/program/program.ts'
import { readExported } from '../support/program/transfer.ts'

let folder: string
let env: Record<string, string>

beforeAll(async () => {
  buildPrograms()
  folder = await mkdtemp(join(tmpdir(), 'colloquy-commands-'))
  env = { DATA_DIR: join(folder, 'data'), INIT_CWD: folder }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(args: string, more: Record<string, string> = {}) {
  await using program = new Program('src/main.js', args.split(' '), { ...env, ...more })
  const { code } = await program.exited
  return { code, stdout: program.stdout, stderr: program.stderr }
}

async function serving(work: (api: (user: string) => Api) => Promise<void>): Promise<void> {
  await using server = await startServer(readConfig({ ...env, PORT: '0' }), pino({ level: 'silent' }), () => {})
  await work((user) => new Api(server.url, { 'x-user-id': user }))
}

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' })
const failed = (stderr: unknown, stdout = '') => ({ code: 1, stdout, stderr })

test.skipIf(!isLong)('backup, export, restore, import and renew-epochs, with the embedded database', async () => {
  expect(await run('backup none.jsonl')).toEqual(failed(expect.stringMatching(/^There is no database in .*data yet/)))
  await serving(async (as) => {
    for (const user of ['ada', 'eve']) for (const content of ['one', 'two']) await as(user).append('c', content)
    expect(await run('backup backup.jsonl.gz')).toEqual(
      done(`2 conversations with 4 messages are in ${folder}/backup.jsonl.gz.\n`),
    )
    const counts = { path: `${folder}/ada.jsonl`, conversations: 1, messages: 2 }
    const exported = await run('export --user ada --output ada.jsonl --json')
    expect([exported.code, JSON.parse(exported.stdout)]).toEqual([0, counts])
    for (const refused of ['restore backup.jsonl.gz', 'import ada.jsonl', 'renew-epochs']) {
      expect(await run(refused)).toEqual(failed(expect.stringMatching(/^Servers are connected to the database/)))
    }
  })

  await rm(env.DATA_DIR as string, { recursive: true })
  expect(await run('restore backup.jsonl.gz')).toEqual(
    done(
      [
        'Conversations stored        2',
        'Messages stored             4',
        'Conversations there before  0',
        'Conversations left out      0\n',
      ].join('\n'),
    ),
  )
  expect(await run('restore backup.jsonl.gz')).toEqual(failed(expect.stringMatching(/a restore needs an empty one/)))
  const { stdout, code } = await run('export')
  await writeFile(join(folder, 'all.jsonl'), stdout)
  const lines = await readExported(join(folder, 'all.jsonl'))
  expect([code, lines.at(-1)?.end]).toEqual([0, expect.objectContaining({ conversations: 2, messages: 4 })])

  // The restored conversations have other epochs than those of the file.
  const conflict = await run('import ada.jsonl --json')
  expect([conflict.code, JSON.parse(conflict.stdout)]).toEqual([
    1,
    { conversations: 0, messages: 0, there: 0, conflicts: 1 },
  ])
  expect(conflict.stderr).toBe(
    `${folder}/ada.jsonl: line 2: the conversation "c" of "ada" is there already, and is another one; it stays as it is\n`,
  )
  const other = { DATA_DIR: join(folder, 'other') }
  for (const imported of [
    { conversations: 1, messages: 2, there: 0 },
    { conversations: 0, messages: 0, there: 1 },
  ]) {
    const { code, stdout, stderr } = await run('import ada.jsonl --json', other)
    expect([code, stderr, JSON.parse(stdout)]).toEqual([0, '', { ...imported, conflicts: 0 }])
  }
  expect(await run('renew-epochs')).toEqual(done('2 conversations have new epochs.\n'))
  await serving(async (as) => {
    const { conversation } = await as('eve').get('{ conversation(id: "c") { messages { nodes { content } } } }')
    expect(conversation.messages.nodes.map(({ content }: { content: string }) => content)).toEqual(['one', 'two'])
  })
})

test.skipIf(!isLong)('wrong use, and a file that is damaged or not there, end in one sentence', async () => {
  expect(await run('export --json')).toEqual({
    code: 2,
    stdout: '',
    stderr: "option '--json' needs --output; colloquy export --help says more\n",
  })
  expect(await run('restore nowhere.jsonl')).toEqual(failed(expect.stringMatching(/^ENOENT: .*nowhere\.jsonl'\n$/)))
  const bytes = await readFile(join(folder, 'all.jsonl'))
  bytes[bytes.length >> 1] = 0
  await writeFile(join(folder, 'bad.jsonl'), bytes)
  for (const command of ['restore', 'import']) {
    expect(await run(`${command} bad.jsonl`, { DATA_DIR: join(folder, 'third') })).toEqual(
      failed(expect.stringMatching(/^.*bad\.jsonl: line \d+ is damaged: its checksum is another\n$/)),
    )
  }
})
