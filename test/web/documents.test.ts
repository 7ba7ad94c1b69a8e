import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

test('the typed documents of the page are those of its documents and of the schema: npm run generate in web/', async () => {
  const { generate } = await import(pathToFileURL('web/generate.js').href)
  const generated: [string, string][] = await generate()
  expect(generated.map(([path]) => path)).toEqual(['src/gql/graphql.ts'])
  for (const [path, text] of generated) expect(await readFile(`web/${path}`, 'utf8')).toBe(text)
})
