import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useGuide } from '../support/documents/guide.ts'

const [architecture, request, commit] = useGuide('docs/architecture.md').take('', 3)
const [bench] = useGuide('bench/README.md').take('', 1)

test.each([
  ['docs/architecture.md', architecture, ''],
  ['bench/README.md', bench, 'bench'],
])('the tree of %s has only what is there', (_document, tree, root) => {
  const places = placesIn(tree)
  expect(places.length).toBeGreaterThan(8)
  expect(places.filter((place) => !existsSync(join(root, place)))).toEqual([])
})

test('the tree of docs/architecture.md has every folder of src/', async () => {
  const entries = await readdir('src', { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `src/${name}`)
  expect(folders.filter((folder) => !placesIn(architecture).includes(folder))).toEqual([])
})

test.each([
  ['a request', request],
  ['a commit', commit],
])('the way of %s in docs/architecture.md goes through what is there', (_way, drawn) => {
  const named = drawn.match(/\b[\w-]+\/[\w-]*/g) ?? []
  expect(named.length).toBeGreaterThan(1)
  const isThere = (place: string) => ['src', 'src/server'].some((above) => existsAs(join(above, place)))
  expect(named.filter((place) => !isThere(place))).toEqual([])
})

function existsAs(path: string): boolean {
  return existsSync(path) || existsSync(`${path}.ts`)
}

/** The files and folders in the first column of a tree, in which what lies in a folder stands below it, further to the right. */
function placesIn(tree: string): string[] {
  const above: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', first = ''] = /^( *)(.*?)(?: {2}.*)?$/.exec(line) ?? []
    const depth = indent.length / 2
    // A line that goes on with what the line above says.
    if (depth > above.length) return []
    above.length = depth
    const names = first.split(' ').filter((name) => /^[\w.-]+(\/|\.\w+)$/.test(name))
    const places = names.map((name) => join(...above, name).replace(/\/$/, ''))
    if (first.endsWith('/')) above.push(first)
    return places
  })
}
