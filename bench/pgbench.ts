import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../src/config.ts'
import { onePostgres, sessionSettings } from '../src/database/session.ts'
import type { Entrant, Measurement } from './compare.ts'
import type { Database } from './database.ts'
import { Latencies } from './load/latencies.ts'
import { root } from './program.ts'

const program = '/usr/bin/pgbench'

/**
 * PostgreSQL's own benchmark client with one prepared append per transaction; null where it is not installed (Debian has it in
 * postgresql-contrib or postgresql-client-common).
 */
export function enterPgbench(databaseUrl: string, connections: number): Entrant | null {
  if (!existsSync(program)) return null
  return {
    name: 'pgbench',
    async turn({ database, options }, warmUpSeconds): Promise<Measurement> {
      const folder = await mkdtemp(join(tmpdir(), 'colloquy-pgbench-'))
      try {
        const [window] = await Promise.all([
          measure(database, warmUpSeconds, options.seconds),
          run(databaseUrl, connections, warmUpSeconds + options.seconds + 0.5, join(folder, 'log')),
        ])
        return summarize(await readLog(folder), window)
      } finally {
        await rm(folder, { recursive: true })
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

interface Window {
  /** Milliseconds. */
  readonly start: number
  readonly end: number
  /** Microseconds. */
  readonly cpu: number
}

async function measure(database: Database, warmUpSeconds: number, seconds: number): Promise<Window> {
  await sleep(warmUpSeconds * 1000)
  const start = Date.now()
  const before = database.cpu
  await sleep(seconds * 1000)
  return { start, end: Date.now(), cpu: database.cpu - before }
}

/** As the server's pool has it. */
const sessionOfServer = sessionSettings(onePostgres, readConfig({}).pool).options

function run(databaseUrl: string, connections: number, seconds: number, log: string): Promise<void> {
  const how = [
    '--no-vacuum',
    '--protocol=prepared',
    '--jobs=2',
    `--client=${connections}`,
    `--time=${Math.ceil(seconds)}`,
  ]
  const what = [`--file=${join(root, 'bench/peers/pgbench.sql')}`, '--log', `--log-prefix=${log}`, databaseUrl]
  const child = spawn(program, [...how, ...what], {
    env: { PATH: process.env.PATH, PGOPTIONS: sessionOfServer },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`pgbench failed: ${complaints}`))))
  })
}

interface Transaction {
  /** Milliseconds. */
  readonly took: number
  readonly endedAt: number
}

/** A line is: client, transaction, microseconds taken, script, and when it ended, in seconds and microseconds. */
async function readLog(folder: string): Promise<Transaction[]> {
  const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')))
  return files
    .flatMap((text) => text.trimEnd().split('\n'))
    .map((line) => {
      const [, , took, , seconds, microseconds] = line.split(' ').map(Number)
      return { took: (took ?? 0) / 1000, endedAt: (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000 }
    })
}

function summarize(transactions: readonly Transaction[], { start, end, cpu }: Window): Measurement {
  const latencies = new Latencies()
  const measured = transactions.filter(({ endedAt }) => endedAt >= start && endedAt < end)
  for (const { took } of measured) latencies.add(took)
  return {
    ...latencies.summary(),
    throughput: (measured.length / (end - start)) * 1000,
    serverCpu: Number.NaN,
    databaseCpu: cpu / measured.length,
    resident: Number.NaN,
    errors: 0,
  }
}
