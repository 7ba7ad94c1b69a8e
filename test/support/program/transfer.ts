import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { readConfig } from '../../../src/config.ts'
import { exportToFile } from '../../../src/transfer/export-database.ts'
import { importAlone } from '../../../src/transfer/import-alone.ts'
import type { Imported } from '../../../src/transfer/import-file.ts'
import type { Counts } from '../../../src/transfer/lines.ts'
import { dataTables } from '../../../src/transfer/tables.ts'
import type { LoneDatabase } from '../../../src/transfer/work-alone.ts'

/** Exports and imports of a test file, with files in a folder of its own. */
export class Transfers {
  folder = ''
  #files = 0

  path(name = 'export.jsonl'): string {
    this.#files += 1
    return join(this.folder, `${this.#files}-${name}`)
  }

  /** Exports a database, and answers the file. */
  async export(url: string, userId: string | null = null, path = this.path()): Promise<string> {
    await exportToFile(url, path, { userId })
    return path
  }

  async write(content: string | Buffer, name?: string): Promise<string> {
    const path = this.path(name)
    await writeFile(path, content)
    return path
  }

  async import(
    url: string,
    path: string,
    kind: 'import' | 'restore' = 'import',
    onProgress: (done: Counts, all: Counts) => void = () => {},
  ): Promise<Imported & { readonly told: string[] }> {
    const told: string[] = []
    const onConflict = (sentence: string) => void told.push(sentence)
    const options = { pool, tell: () => {}, onConflict, onProgress }
    return { ...(await importAlone(loneDatabase(url), path, kind, options)), told }
  }
}

export function useTransfers(): Transfers {
  const transfers = new Transfers()
  beforeAll(async () => {
    transfers.folder = await mkdtemp(join(tmpdir(), 'colloquy-transfer-'))
  })
  afterAll(async () => {
    await rm(transfers.folder, { recursive: true, force: true })
  })
  return transfers
}

export const { pool } = readConfig({})

export function loneDatabase(directUrl: string): LoneDatabase {
  return { directUrl, name: 'DATABASE_URL' }
}

// biome-ignore lint/suspicious/noExplicitAny: each kind of line has members of its own.
type AnyLine = Record<string, any>

/** The lines of an export, as JSON.parse reads them. */
export async function readExported(path: string): Promise<AnyLine[]> {
  const bytes = await readFile(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** All rows of the tables that hold data, as PostgreSQL writes rows: every column, and json as it was stored. */
export async function readRows(client: Client): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {}
  for (const table of dataTables) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${table} t order by 1`)
    tables[table] = rows.map(({ row }) => row)
  }
  return tables
}
