import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { blocksOf } from '../support/documents/guide.ts'

const folders = ['.', 'docs', 'client', 'bench', 'examples', 'deploy']

test('every link of a document leads to what is there, and to a heading of it', async () => {
  const texts = new Map<string, string>()
  for (const path of ['llms.txt', ...(await findDocuments())]) {
    texts.set(path, (await readFile(path, 'utf8')).replaceAll(/^```[\s\S]*?^```$/gm, ''))
  }
  const astray: string[] = []
  for (const [path, text] of texts) {
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [file, heading] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file as string)
      const isThere = heading === undefined ? existsSync(target) : anchorsOf(texts.get(target) ?? '').includes(heading)
      if (!isThere) astray.push(`${path}: ${link}`)
    }
  }
  expect(astray).toEqual([])
})

test('every document with blocks has a test that takes all of them', async () => {
  const documents = await findDocuments()
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/clients.md', 'examples/agent/README.md']))
  const tests: string[] = []
  for (const folder of ['test/guides', 'test/clients']) {
    for (const name of await readdir(folder)) {
      if (name.endsWith('.test.ts')) tests.push(await readFile(`${folder}/${name}`, 'utf8'))
    }
  }
  const untaken: string[] = []
  for (const path of documents) {
    const hasBlocks = blocksOf(await readFile(path, 'utf8')).length > 0
    if (hasBlocks && !tests.some((text) => text.includes(`useGuide('${path}')`))) untaken.push(path)
  }
  expect(untaken).toEqual([])
})

test('a block that nobody takes is told, and one that says why it is not run is none', () => {
  const text =
    '# A\n\n```sh\na\n```\n\n1. In a list:\n\n   ```\n   b\n     c\n   ```\n\n<!-- not run: it needs root -->\n```sh\nd\n```\n'
  expect(blocksOf(text)).toEqual([
    { line: 3, language: 'sh', text: 'a\n' },
    { line: 9, language: '', text: 'b\n  c\n' },
  ])
  expect(blocksOf(text.replace('it needs root', ''))).toHaveLength(3)
})

test('llms.txt names every document, once, and none that is not there', async () => {
  const text = await readFile('llms.txt', 'utf8')
  const named = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path as string)
  const docs = (await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  expect(named.filter((path) => path.startsWith('docs/')).sort()).toEqual(docs.sort())
  for (const path of named) expect((await readFile(path, 'utf8')).length).toBeGreaterThan(0)
})

async function findDocuments(): Promise<string[]> {
  const documents: string[] = []
  for (const folder of folders) {
    for (const name of await readdir(folder, { recursive: folder !== '.' })) {
      if (name.endsWith('.md') && !name.includes('node_modules')) documents.push(join(folder, name))
    }
  }
  return documents
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase())
  return headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-'))
}
