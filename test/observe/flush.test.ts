import { beforeAll, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'

const bed = useBed()
beforeAll(buildPrograms)

test('a server that stops has an SDK send the spans that it kept', async () => {
  const sdk = new URL('../support/observe/tracing-sdk.mjs', import.meta.url)
  await using server = await ServerProcess.start(bed.database.url, { NODE_OPTIONS: `--import ${sdk}` })
  await fetch(`${server.url}/graphql?query={viewer{id}}`, { headers: { 'x-user-id': 'ada' } })
  server.program.kill('SIGTERM')
  expect(await server.program.exited).toEqual({ code: 0, signal: null })
  expect(server.program.stdout).toContain('exported GET /graphql')
})
