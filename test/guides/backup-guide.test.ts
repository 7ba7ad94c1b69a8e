import { appendFile, chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prepareCluster } from '../../src/database/embedded/embedded-cluster.ts'
import { Api } from '../support/api.ts'
import { createDatabase } from '../support/database/database.ts'
import { Postgres } from '../support/database/replicated-postgres.ts'
import { useGuide } from '../support/documents/guide.ts'
import { freePort } from '../support/network/listen.ts'
import { Clone } from '../support/program/clone.ts'
import { buildPrograms } from '../support/program/program.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const guide = useGuide('docs/backup.md')
const [backUp, restore, move] = guide.take('sh', 3)
const [file, archiving, recovering] = guide.take('', 3)

const user = { 'x-user-id': 'ada' }
let clone: Clone

beforeAll(async () => {
  buildPrograms()
  clone = await Clone.make()
})

afterAll(() => clone[Symbol.asyncDispose]())

async function contents(url: string): Promise<unknown[]> {
  const { conversation } = await new Api(url, user).get('{ conversation(id: "support") { history { content } } }')
  return conversation.history.map(({ content }: { content: string }) => content)
}

test('the embedded database comes back from its backup, as docs/backup.md says', async () => {
  const backups = join(clone.folder, 'backups')
  await mkdir(backups)
  {
    await using server = clone.run('npm start', { PORT: '0' })
    const [, url = ''] = await server.prints(/GraphQL +(http:\S+)\/graphql/)
    await new Api(url, user).append('support', 'Hello')
    await clone.finish(backUp.replaceAll('/backups', backups))
  }
  await rm(join(clone.folder, '.data'), { recursive: true })
  const [name = ''] = await readdir(backups)
  expect(name).toMatch(/^colloquy-\d{4}-\d\d-\d\d\.jsonl\.gz$/)
  const commands = restore.replace(/\/backups\/colloquy-\d{4}-\d\d-\d\d\.jsonl\.gz/, join(backups, name))
  await using server = clone.run(commands, { PORT: '0' })
  const [, url = ''] = await server.prints(/GraphQL +(http:\S+)\/graphql/)
  expect(await contents(url)).toEqual(['Hello'])
})

test('conversations move to another database, and their file is as docs/backup.md shows it', async () => {
  await using from = await createDatabase()
  await using to = await createDatabase()
  await using server = await serve(from.url)
  await server.as().append('support', 'Hello')
  const { startMessage } = await server
    .as()
    .get('mutation { startMessage(input: { conversationId: "support" }) { message { id } } }')
  await server.as().get(
    `mutation ($id: ID!) { appendMessageText(input: { messageId: $id, attempt: 1, chunk: 0, text: "Tomorrow." }) {
      nextChunk } }`,
    { id: startMessage.message.id },
  )
  await clone.finish(move.replace('postgresql://…', to.url), { DATABASE_URL: from.url })
  await using other = await serve(to.url)
  expect(await contents(other.url)).toEqual(['Hello'])

  const toolCalls = [{ callId: 'c', name: 'look', arguments: '{}' }]
  const answer = { role: 'ASSISTANT', content: 'On Monday.', toolCalls, replyTo: startMessage.message.id }
  const { message } = await server.as().append('support', answer)
  await server.as().get(
    `mutation ($id: ID!) {
      addReaction(input: { messageId: $id, emoji: "👍" }) { message { id } }
      setFeedback(input: { messageId: $id, rating: UP }) { message { id } }
      answerCall(input: { messageId: $id, callId: "c", approved: true }) { message { id } }
    }`,
    { id: message.id },
  )
  await clone.finish('colloquy export --output all.jsonl', { DATABASE_URL: from.url })
  const lines = (await readFile(join(clone.folder, 'all.jsonl'), 'utf8')).trim().split('\n')
  const shown = file.trim().split('\n')
  expect(lines).toHaveLength(shown.length)
  for (const [index, line] of shown.entries()) expect(lines[index]).toMatch(shapeOf(line))
})

/** What stands in the place of `…` is not shown, and times and the name of the newest migration are others. */
function shapeOf(line: string): RegExp {
  const shape = line
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('…', '.+')
    .replaceAll(/Migration\d+\w+/g, 'Migration\\d+\\w+')
    .replaceAll(/2026-11-29T[\d\\.:+]+/g, '\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{1,6}\\+00:00')
  return new RegExp(`^${shape}$`)
}

test('a PostgreSQL of yours goes back to a moment, as docs/backup.md says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recovery-'))
  try {
    const archive = join(folder, 'archive')
    await mkdir(archive)
    // PostgreSQL runs as another user where the tests run as root.
    await chmod(archive, 0o777)
    const [first, second] = [join(folder, 'first'), join(folder, 'second')]
    const cluster = await prepareCluster(first, { fsync: 'off' })
    await appendFile(join(cluster.data, 'postgresql.conf'), archiving.replaceAll('/archive', archive))
    let moment: string
    {
      await using postgres = new Postgres(cluster, await freePort())
      await postgres.start({})
      {
        await using server = await serve(postgres.url)
        await server.as().append('support', 'before the base backup')
        await backUpBase(postgres.url, cluster.data, join(second, 'postgres'))
        await server.as().append('support', 'before the moment')
        moment = String((await postgres.query('select now()::text as moment'))[0]?.moment)
        await server.as().append('support', 'after the moment')
      }
      const [{ file } = {}] = await postgres.query('select pg_walfile_name(pg_switch_wal()) as file')
      const archived = 'select last_archived_wal as last, last_failed_wal as failed from pg_stat_archiver'
      await until(async () => {
        const [{ last = null, failed = null } = {}] = await postgres.query(archived)
        if (failed !== null) throw new Error(`PostgreSQL could not archive ${failed}.`)
        return last !== null && String(last) >= String(file)
      })
    }
    const settings = recovering.replaceAll('/archive', archive).replace(/'2026-11-29 .*'/, `'${moment}'`)
    expect(settings).toContain(moment)
    await appendFile(join(second, 'postgres', 'postgresql.conf'), settings)
    await writeFile(join(second, 'postgres', 'recovery.signal'), '')
    await using postgres = new Postgres(await prepareCluster(second, { fsync: 'off' }), await freePort())
    await postgres.start({})
    await until(async () => (await postgres.query('select pg_is_in_recovery() as it'))[0]?.it === false)
    expect(guide.text).toContain('`colloquy renew-epochs`, before any server starts')
    await clone.finish('colloquy renew-epochs', { DATABASE_URL: postgres.url })
    await using server = await serve(postgres.url)
    expect(await contents(server.url)).toEqual(['before the base backup', 'before the moment'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** What `pg_basebackup` does, which the binaries of the tests do not bring. */
async function backUpBase(url: string, from: string, to: string): Promise<void> {
  // The end of a base backup waits for the archive, which would wait for ever where a file cannot be archived.
  const client = new Client({ connectionString: url, statement_timeout: 60_000 })
  await client.connect()
  await client.query("select pg_backup_start('base', true)")
  const isLeft = /\/(postmaster\.\w+|pg_wal\/\w+|pg_replslot\/\w+)$/
  await cp(from, to, { recursive: true, preserveTimestamps: true, filter: (path) => !isLeft.test(path) })
  const { rows } = await client.query('select labelfile from pg_backup_stop()')
  await writeFile(join(to, 'backup_label'), rows[0].labelfile)
  await client.end()
}
