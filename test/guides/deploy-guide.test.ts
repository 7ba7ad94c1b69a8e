import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Api } from '../support/api.ts'
import { createDatabase } from '../support/database/database.ts'
import { useGuide } from '../support/documents/guide.ts'
import { serve } from '../support/server.ts'

const guide = useGuide('docs/deploy.md')
const [makeKey] = guide.take('sh', 1)

test('docs/deploy.md names every file of deploy/, and files that are there', async () => {
  const named = [...guide.text.matchAll(/\((?:\.\.\/)?((?:deploy|docs|CHANGELOG)[^)#]*)\)/g)].map(
    ([, path]) => path as string,
  )
  const ours = (await readdir('deploy')).filter((name) => !name.endsWith('.dockerignore'))
  for (const name of ours) if (/\./.test(name) || name.endsWith('file')) expect(guide.text).toContain(`deploy/${name}`)
  for (const path of [...named, ...[...guide.text.matchAll(/`(test\/\S+\.ts)`/g)].map(([, path]) => path as string)]) {
    expect([path, existsSync(path)]).toEqual([path, true])
  }
})

test('the key of docs/deploy.md lets a backend in', async () => {
  const { stdout } = spawnSync('bash', ['-ec', `${makeKey}\necho "$KEY $AUTH_SERVICE_KEYS"`], { encoding: 'utf8' })
  const [key = '', AUTH_SERVICE_KEYS = ''] = stdout.trim().split(' ')
  await using database = await createDatabase()
  await using server = await serve(database.url, { AUTH_SERVICE_KEYS })
  const ask = (one: string) =>
    new Api(server.url, { 'x-service-key': one, 'x-user-id': 'ada' }).ask('{ viewer { userId } }')
  expect(await ask(key)).toEqual({ data: { viewer: { userId: 'ada' } } })
  expect((await ask(`${key}0`)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
})
