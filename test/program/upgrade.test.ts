import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { findBreaches } from '../faults/history.ts'
import { Load } from '../faults/load.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { isLong } from '../support/long.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { patient } from '../support/patient.ts'
import { buildPrograms } from '../support/program/program.ts'
import { buildRelease } from '../support/program/release.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { Random } from '../support/random.ts'

/** What runs before the upgrade. */
const tag = 'v0.1.0'
/** Hints between servers of different releases have to arrive: the poll would hide it if they did not. */
const settings = { ...patient, POLL_MS: '600000' }
const timeout = 600_000

let release: string | null

beforeAll(() => {
  buildPrograms()
  release = buildRelease(tag)
}, timeout)

test(`two servers of ${tag} are replaced under load, one after the other${isLong ? ', and again the other way' : ''}`, {
  timeout,
}, async ({ skip }) => {
  skip(release === null, `this clone does not have the tag ${tag}, and cannot fetch it`)
  const folder = join(release as string, 'dist')
  await using database = await createDatabase('bare')
  const startNew = () => ServerProcess.start(database.url, settings)
  const startOld = () => ServerProcess.start(database.url, settings, folder)
  await using stack = new AsyncDisposableStack()
  const started: ServerProcess[] = []
  const own = async (starting: Promise<ServerProcess>) => {
    const server = stack.use(await starting)
    started.push(server)
    return server
  }
  const servers = [await own(startOld()), await own(startOld())]
  const before = await migrationsOf(database)
  const front = stack.use(await TcpProxy.before(...servers))
  // Servers are replaced first, and whoever uses them later.
  const client = await import(/* @vite-ignore */ join(release as string, 'client/src/index.ts'))
  using load = await Load.begin('upgrade', front, new Random(1), client)

  /** Before a server is told to stop, nothing new goes to it, and what was on its way is answered. */
  async function replace(index: 0 | 1, start: () => Promise<ServerProcess>): Promise<void> {
    const [leaving, staying] = [servers[index], servers[1 - index]] as [ServerProcess, ServerProcess]
    front.aim(staying)
    await load.recovered()
    leaving.program.kill('SIGTERM')
    expect(await leaving.program.exited).toEqual({ code: 0, signal: null })
    // The first start of the new release migrates under the load of the old one.
    servers[index] = await own(start())
    front.aim(...servers)
    await load.recovered()
  }
  await replace(0, startNew)
  expect((await migrationsOf(database)).slice(0, before.length)).toEqual(before)
  await replace(1, startNew)
  // The way back is the same with the releases exchanged.
  if (isLong) {
    await replace(0, startOld)
    await replace(1, startOld)
  }

  expect((await load.finish()).flatMap(findBreaches)).toEqual([])
  expect([load.counts.unanswered, load.strange]).toEqual([0, []])
  expect(load.counts.streams).toBeGreaterThan(0)
  for (const { program } of started) expect(program.stderr + program.stdout).not.toMatch(/"level":[56]0/)
})

async function migrationsOf(database: TestDatabase): Promise<string[]> {
  const client = await database.connect()
  const { rows } = await client.query<{ name: string }>('select name from migration order by id')
  return rows.map(({ name }) => name)
}
