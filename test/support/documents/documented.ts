import { readdir, readFile } from 'node:fs/promises'
import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql'
import { graphiqlExamples } from '../../../src/server/graphiql/graphiql-examples.ts'

export interface Documented {
  /** The file, and how many documents of it came before. */
  readonly place: string
  readonly document: DocumentNode
}

const root = new URL('../../../', import.meta.url)
const folders = ['docs', 'examples', 'client/src', 'bench', 'test/clients']
const files = ['README.md', 'client/README.md']

/**
 * Every document that our texts and programs show or send, as far as it stands there whole: blocks of GraphQL, and texts
 * of JavaScript that are a document.
 */
export async function readDocumented(schema: GraphQLSchema): Promise<Documented[]> {
  const paths = [...files]
  for (const folder of folders) {
    for (const entry of await readdir(new URL(folder, root), { recursive: true })) {
      if (/\.(md|ts|tsx|mjs|js)$/.test(entry) && !entry.includes('node_modules')) paths.push(`${folder}/${entry}`)
    }
  }
  const found = graphiqlExamples.map(({ query }, n) => ({ place: `graphiql ${n}`, document: parse(query) }))
  for (const path of paths) {
    const text = await readFile(new URL(path, root), 'utf8')
    for (const source of textsIn(text, path.endsWith('.md'))) {
      const document = tryParse(source)
      if (document === null || validate(schema, document).length > 0) continue
      found.push({ place: `${path} ${found.length}`, document })
    }
  }
  return found
}

function textsIn(text: string, isMarkdown: boolean): string[] {
  const blocks = isMarkdown ? [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, block]) => block ?? '') : []
  const pieces = isMarkdown ? [...text.matchAll(/```(?:\w+)?\n([\s\S]*?)```/g)].map(([, block]) => block ?? '') : [text]
  const literals = pieces.flatMap((piece) => [
    ...[...piece.matchAll(/`((?:[^`\\]|\\.)*)`/g)].map(([, literal]) => literal ?? ''),
    ...[...piece.matchAll(/'((?:[^'\\\n]|\\.)*)'/g)].map(([, literal]) => literal ?? ''),
    ...[...piece.matchAll(/"query": ?"((?:[^"\\\n]|\\.)*)"/g)].map(([, literal]) => JSON.parse(`"${literal}"`)),
  ])
  return [...blocks, ...literals]
}

function tryParse(source: string): DocumentNode | null {
  if (!/^\s*(#|\{|query|mutation|subscription|fragment)/.test(source)) return null
  try {
    return parse(source)
  } catch (error) {
    if (error instanceof GraphQLError) return null
    throw error
  }
}
