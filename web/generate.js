// Writes src/gql/graphql.ts from ../schema.graphql and src/documents.graphql: `npm run generate` here.

import { readFileSync, writeFileSync } from 'node:fs'
import { preset } from '@graphql-codegen/client-preset'
import { codegen } from '@graphql-codegen/core'
import { parse } from 'graphql'

const outDir = 'src/gql/'

/** The text of each generated file, by its path. */
export async function generate() {
  const schema = parse(readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8'))
  const rawSDL = readFileSync(new URL('src/documents.graphql', import.meta.url), 'utf8')
  const sections = await preset.buildGeneratesSection({
    baseOutputDir: outDir,
    schema,
    documents: [{ location: 'src/documents.graphql', document: parse(rawSDL), rawSDL }],
    config: {
      useTypeImports: true,
      scalars: { DateTime: 'string', JSON: 'unknown', JSONObject: 'Record<string, unknown>' },
    },
    presetConfig: { fragmentMasking: false },
    plugins: [],
    pluginMap: {},
  })
  // The others are for documents in the code, and for a barrel.
  const wanted = sections.filter(({ filename }) => filename.endsWith('graphql.ts'))
  return Promise.all(wanted.map(async (section) => [section.filename, await codegen(section)]))
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, text] of await generate()) writeFileSync(new URL(path, import.meta.url), text)
}
