// Writes src/gql/graphql.ts from ../schema.graphql and every src/*/documents.graphql: `npm run generate` here.

import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { preset } from '@graphql-codegen/client-preset'
import { codegen } from '@graphql-codegen/core'
import { parse } from 'graphql'

const outDir = 'src/gql/'

/** The text of each generated file, by its path. */
export async function generate() {
  const schema = parse(readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8'))
  const documents = globSync('src/*/documents.graphql', { cwd: import.meta.dirname })
    .sort()
    .map((location) => ({ location, rawSDL: readFileSync(new URL(location, import.meta.url), 'utf8') }))
  const sections = await preset.buildGeneratesSection({
    baseOutputDir: outDir,
    schema,
    documents: documents.map(({ location, rawSDL }) => ({ location, rawSDL, document: parse(rawSDL) })),
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
