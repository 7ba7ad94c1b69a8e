import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Bed } from '../bed.ts'
import { buildPrograms, Program } from './program.ts'

/** How an import ended, and what it wrote. */
export interface Imported {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The import as people run it, with files in a folder of the test file. */
export class Imports {
  directory = ''
  readonly #bed: Bed

  constructor(bed: Bed) {
    this.#bed = bed
  }

  async write(name: string, content: string | Buffer): Promise<string> {
    const path = join(this.directory, `${randomBytes(4).toString('hex')}-${name}`)
    await writeFile(path, content)
    return path
  }

  async run(path: string, user: string, env: Record<string, string> = {}, args: string[] = []): Promise<Imported> {
    await using program = new Program('src/main.js', ['import', path, ...args], {
      COLLOQUY_URL: `${this.#bed.server.url}/graphql`,
      COLLOQUY_USER: user,
      COLLOQUY_RETRY_SECONDS: '0',
      ...env,
    })
    const { code } = await program.exited
    return { code, stdout: program.stdout, stderr: program.stderr }
  }

  /** Writes a value as JSON, on one line or pretty, and imports it. */
  async runValue(value: unknown, user = 'ada', indent?: number): Promise<Imported> {
    return this.run(await this.write('file.json', JSON.stringify(value, null, indent)), user)
  }
}

export function useImports(bed: Bed): Imports {
  const imports = new Imports(bed)
  beforeAll(async () => {
    buildPrograms()
    imports.directory = await mkdtemp(join(tmpdir(), 'import-'))
  })
  afterAll(async () => {
    await rm(imports.directory, { recursive: true, force: true })
  })
  return imports
}

/** What an import that met no fault writes. @param notes what it tells at the end, line by line */
export function summary(
  conversations: number,
  stored: number,
  replayed: number,
  notes: readonly string[] = [],
): string {
  return [
    `Conversations          ${conversations}`,
    `Messages stored        ${stored}`,
    `Messages there before  ${replayed}`,
    ...(notes.length === 0 ? [] : ['Left out or changed, without a fault:', ...notes.map((note) => `  ${note}`)]),
    '',
  ].join('\n')
}

// biome-ignore lint/suspicious/noExplicitAny: as it comes from the API.
export type Stored = Record<string, any>

const fields = `id parentId role name content parts partsFormat toolName toolCallId toolError model finishReason
  metadata clientId sentAt toolCalls { callId name arguments type extra }`

/**
 * A conversation as the API answers it, with the messages of all branches; null if there is none. A message has its
 * `clientId`, the client id of its parent as `parent`, and of its other fields those that are not null or empty. `times`
 * are those at which the messages were created.
 */
export async function readStored(bed: Bed, id: string, user = 'ada'): Promise<Stored | null> {
  const { conversation } = await bed.server.as({ 'x-user-id': user }).get(
    `query ($id: ID!) { conversation(id: $id) {
      id title metadata createdAt updatedAt messages(first: 100) { nodes { ${fields} createdAt } } history(last: 100) { clientId }
    } }`,
    { id },
  )
  if (conversation === null) return null
  const nodes: Stored[] = conversation.messages.nodes
  const clientIds = new Map(nodes.map((message) => [message.id, message.clientId]))
  return {
    ...conversation,
    times: nodes.map(({ createdAt }) => createdAt),
    history: conversation.history.map(({ clientId }: Stored) => clientId),
    messages: nodes.map(({ id: _, createdAt: _at, parentId, ...message }) =>
      withoutNothing({ ...message, parent: clientIds.get(parentId) ?? null }),
    ),
  }
}

/** What the messages of a conversation say, without their ids and parents. */
export async function readMessages(bed: Bed, id: string, user = 'ada'): Promise<Stored[]> {
  const conversation = await readStored(bed, id, user)
  return (conversation?.messages ?? []).map(({ clientId: _, parent: _parent, ...rest }: Stored) => rest)
}

/** Without the fields that are null, and without empty lists and objects. */
function withoutNothing(message: Stored): Stored {
  const isSomething = (value: unknown) =>
    value !== null && (typeof value !== 'object' || Object.keys(value as object).length > 0)
  return Object.fromEntries(Object.entries(message).filter(([, value]) => isSomething(value)))
}
