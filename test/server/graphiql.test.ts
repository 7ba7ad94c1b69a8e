import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { createSchema } from '../../src/graphql/schema.ts'
import { graphiqlExamples } from '../../src/server/graphiql/graphiql-examples.ts'
import { useBed } from '../support/bed.ts'

const bed = useBed()

test('every example tab is valid, and begins with a comment', () => {
  const schema = createSchema()
  expect(graphiqlExamples.length).toBeGreaterThan(2)
  for (const { query } of graphiqlExamples) {
    expect(validate(schema, parse(query))).toEqual([])
    expect(query).toMatch(/^# \S/)
  }
})

test('GraphiQL and all it loads come from this server, and its policy forbids anything else', async () => {
  const page = await fetch(`${bed.server.url}/graphiql`)
  const html = await page.text()
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const loads = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string)
  expect(loads.length).toBeGreaterThan(1)
  for (const path of loads) {
    const url = new URL(path, page.url)
    expect(url.origin).toBe(new URL(bed.server.url).origin)
    expect((await fetch(url)).status).toBe(200)
  }
})
