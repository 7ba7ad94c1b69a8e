import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.blocks/', import.meta.url))

/** The blocks of docs/clients.md by their names, as they stand there. */
export async function readBlocks(): Promise<Map<string, string>> {
  const guide = await readFile('docs/clients.md', 'utf8')
  const blocks = [...guide.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)]
  return new Map(blocks.map(([, name, block]) => [name as string, block as string]))
}

/**
 * Writes the blocks as files below this folder, where their clients are installed, with the server's address and a user in
 * place of those that are only shown. Each test file has a copy of its own.
 *
 * @param more files that the program around the blocks has
 */
export async function writeBlocks(
  name: string,
  url: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const place = join(folder, name)
  await rm(place, { recursive: true, force: true })
  await mkdir(place, { recursive: true })
  const files = [...(await readBlocks()), ...Object.entries(more)]
  for (const [file, text] of files) {
    const here = text
      .replaceAll('https://chat.example/graphql', `${url}/graphql`)
      .replaceAll(/authorization: `Bearer .*?`/g, "'x-user-id': 'ada'")
    await writeFile(join(place, file), here)
  }
  return place
}
