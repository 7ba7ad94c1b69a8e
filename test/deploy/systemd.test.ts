import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createDatabase } from '../support/database/database.ts'
import { freePort } from '../support/network/listen.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'

/** Most that `systemd-analyze security` may say, in tenths: 0 is shut off from everything, 100 from nothing. */
const mostExposure = 15

beforeAll(buildPrograms)

test('systemd finds no fault in the unit, and little that it could reach', async ({ skip }) => {
  skip(spawnSync('systemd-analyze', ['--version']).error !== undefined, 'there is no systemd-analyze (Debian: systemd)')
  const directory = await mkdtemp(join(tmpdir(), 'systemd-'))
  const path = join(directory, 'colloquy@4001.service')
  // It looks whether programs are there, and Node may be elsewhere here.
  await writeFile(
    path,
    (await readUnit()).replaceAll('/usr/bin/node', process.execPath).replaceAll('/usr/bin/curl', '/bin/sh'),
  )
  const analyze = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args, path], { encoding: 'utf8' })
    return { status, output: stderr + (status === 0 ? '' : stdout) }
  }
  expect(analyze('verify')).toEqual({ status: 0, output: '' })
  expect(analyze('security', '--offline=true', `--threshold=${mostExposure}`)).toEqual({ status: 0, output: '' })
  await rm(directory, { recursive: true })
})

test('a start of the unit has ended when the server serves', { timeout: 300_000 }, async ({ skip }) => {
  skip(spawnSync('curl', ['--version']).error !== undefined, 'there is no curl')
  const port = String(await freePort())
  const [, line = ''] = /^ExecStartPost=\S*\/(.*)$/m.exec(await readUnit()) ?? []
  const [command = '', ...args] = line.replaceAll('%i', port).split(' ')
  const waiting = spawn(command, args)
  const ended = once(waiting, 'exit')
  await using database = await createDatabase()
  await using server = await ServerProcess.start(database.url, { PORT: port })
  expect(await ended).toEqual([0, null])
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
})

function readUnit(): Promise<string> {
  return readFile('deploy/colloquy@.service', 'utf8')
}
