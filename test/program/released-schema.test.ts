import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { CriticalityLevel, diff } from '@graphql-inspector/core'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, test } from 'vitest'

/**
 * `released.graphql` is the schema of the last release, whose number package.json has. A release copies schema.graphql to it, writes
 * what its client sends into `released-client.graphql` (scripts/record-documents.js), and names its part of the changelog by its number.
 */
const released = await readFile('test/program/released.graphql', 'utf8')

/**
 * Breaking changes that the changelog does not own up to: its part `## Unreleased` has to have a heading `### Breaking`, under
 * which the coordinate of each stands in backquotes, as `Query.conversation` or `Query.conversation.id`.
 */
async function findUnowned(before: string, after: string, changelog: string): Promise<string[]> {
  const owned = partOf(partOf(changelog, '## Unreleased'), '### Breaking')
  const changes = await diff(buildSchema(before), buildSchema(after))
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .filter(({ path }) => path === undefined || !owned.includes(`\`${path}\``))
    .map(({ path, message }) => `${path}: ${message}`)
}

/** A heading with what stands under it, up to the next heading of its level; empty if it is not there. */
function partOf(text: string, heading: string): string {
  const [level] = heading.split(' ')
  return text.split(new RegExp(`^(?=${level} )`, 'm')).find((part) => part.startsWith(`${heading}\n`)) ?? ''
}

test('what breaks clients of the last release stands in the changelog', async () => {
  const [current, changelog] = await Promise.all([readFile('schema.graphql', 'utf8'), readFile('CHANGELOG.md', 'utf8')])
  expect(await findUnowned(released, current, changelog)).toEqual([])
})

test('released.graphql is the schema of the tag of the last release', async (context) => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
  const tagged = promisify(execFile)('git', ['show', `v${version}:schema.graphql`], { maxBuffer: 1_000_000 })
  const schema = await tagged.then(
    ({ stdout }) => stdout,
    (error: Error) => context.skip(`git does not have the tag: ${error.message.trim().split('\n').at(-1)}`),
  )
  expect(released).toBe(schema)
})

test('every document that the client of the last release sends is valid', async () => {
  const schema = buildSchema(await readFile('schema.graphql', 'utf8'))
  const documents = (await readFile('test/program/released-client.graphql', 'utf8')).trimEnd().split('\n')
  expect(documents.length).toBeGreaterThan(20)
  for (const document of documents) expect([validate(schema, parse(document)), document]).toEqual([[], document])
})

describe('a change of the schema', () => {
  const before = `
    type Query { conversation(id: ID!): Conversation, other: Int }
    type Conversation { id: ID!, title: String! }
    enum Role { USER, TOOL }`
  const change = (from: string, to: string) => {
    expect(before).toContain(from)
    return before.replace(from, to)
  }
  const breaking = `# Changelog\n\n## Unreleased\n\nNews.\n\n### Breaking\n\n`

  test.each([
    ['a field is gone', ', other: Int', '', 'Query.other'],
    ['a field may be null', 'title: String!', 'title: String', 'Conversation.title'],
    ['an argument has another type', 'id: ID!)', 'id: Int!)', 'Query.conversation.id'],
    ['an argument is new and must be given', 'id: ID!)', 'id: ID!, at: Int!)', 'Query.conversation.at'],
    ['a value is gone', ', TOOL', '', 'Role.TOOL'],
  ])('is owned up to by its coordinate under Breaking where %s', async (_what, from, to, coordinate) => {
    const after = change(from, to)
    const about = (changelog: string) => findUnowned(before, after, changelog)
    expect(await about(breaking)).toEqual([expect.stringContaining(`${coordinate}: `)])
    expect(await about(`${breaking}- \`${coordinate}\` changed.\n`)).toEqual([])
    // Elsewhere it counts for nothing: outside of the heading, in another release, as a part of another coordinate.
    expect(await about(`${breaking}\n### Other\n\n\`${coordinate}\`\n`)).toHaveLength(1)
    expect(await about(`# Changelog\n\n## Unreleased\n\n\`${coordinate}\`\n`)).toHaveLength(1)
    expect(await about(`${breaking}\n## 0.1.0\n\n### Breaking\n\n\`${coordinate}\`\n`)).toHaveLength(1)
    expect(await about(`${breaking}- \`${coordinate}Again\`\n`)).toHaveLength(1)
  })

  test.each([
    ['a field is new', 'title: String!', 'title: String!, more: Int'],
    ['an argument is new and may be left out', 'id: ID!)', 'id: ID!, at: Int)'],
    ['a value is new', 'TOOL', 'TOOL, SYSTEM'],
  ])('needs no word where %s', async (_what, from, to) => {
    expect(await findUnowned(before, change(from, to), '')).toEqual([])
  })
})
