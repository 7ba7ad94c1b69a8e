import { type Config, findMisspelt, readConfig } from '../../config.ts'
import { explainDatabaseError } from '../../database/database-errors.ts'
import { holdsDatabase } from '../../database/embedded/embedded.ts'
import { findUnfit, readFitness } from '../../database/fitness.ts'
import { StartupError } from '../../errors.ts'
import { findNodeFault } from '../../node-check.ts'
import { connect, openDatabase } from '../database.ts'
import { checkBus } from './bus.ts'
import { checkClock } from './clock.ts'
import { checkDisk } from './disk.ts'
import { checkDurability } from './durability.ts'
import type { Examined, Finding, Found } from './finding.ts'
import { checkKeys } from './keys.ts'
import { checkMigrations } from './migrations.ts'
import { checkSessions } from './sessions.ts'
import { checkTables } from './tables.ts'

/** Looks at everything, and goes on as far as it can. */
export async function examine(): Promise<Finding[]> {
  const node = await look('node', checkNode)
  const { config, findings } = examineSettings()
  if (config === null) {
    const checks = ['keys', ...questions.map(([check]) => check), 'disk']
    return [...node, ...findings, ...skip(checks, 'the settings are wrong')]
  }
  const keys = await examineKeys(config)
  return [...node, ...findings, ...keys, ...(await examineDatabase(config)), ...(await examineDisk(config))]
}

/** What is asked of a database that answers, in this order. */
const questions: readonly (readonly [check: string, ask: (examined: Examined) => Promise<Found>])[] = [
  ['database', checkFitness],
  ['encoding', checkEncoding],
  ['sessions', checkSessions],
  ['migrations', checkMigrations],
  ['tables', checkTables],
  ['clock', checkClock],
  ['durability', checkDurability],
  ['bus', ({ config, database }) => checkBus(config, database.directUrl)],
]

function examineSettings(): { config: Config | null; findings: Finding[] } {
  try {
    const config = readConfig(process.env)
    const found = { good: 'No setting is misspelt or contradicts another.', wrong: findMisspelt(process.env) }
    return { config, findings: findingsOf('settings', found) }
  } catch (error) {
    return { config: null, findings: findingsOf('settings', faultOf(error)) }
  }
}

async function examineKeys({ identity }: Config): Promise<Finding[]> {
  const url = identity?.jwksUrl
  if (url === undefined) return skip(['keys'], 'AUTH_JWKS_URL is not set')
  return look('keys', () => checkKeys(url))
}

async function examineDatabase(config: Config): Promise<Finding[]> {
  const { databaseUrl, dataDir, pool } = config
  const checks = questions.map(([check]) => check)
  try {
    if (databaseUrl === undefined && !(await holdsDatabase(dataDir))) {
      const found = { good: `There is no database in ${dataDir} yet; colloquy start makes it.`, wrong: [] }
      return [...findingsOf('database', found), ...skip(checks.slice(1), 'there is no database yet')]
    }
    await using database = await openDatabase(config, 'refuse')
    await using client = await connect(database, pool)
    const findings: Finding[] = []
    for (const [check, ask] of questions) {
      const isEarly = check === 'tables' && findings.some((one) => one.check === 'migrations' && one.state === 'wrong')
      if (isEarly) findings.push(...skip([check], 'migrations are waiting'))
      else findings.push(...(await look(check, () => ask({ config, database, client }))))
    }
    return findings
  } catch (error) {
    return [...findingsOf('database', faultOf(error)), ...skip(checks.slice(1), 'the database cannot be reached')]
  }
}

async function examineDisk({ databaseUrl, dataDir }: Config): Promise<Finding[]> {
  if (databaseUrl === undefined) return look('disk', () => checkDisk(dataDir))
  return skip(['disk'], 'the disk of the database is on its own machine; watch it there')
}

async function checkNode(): Promise<Found> {
  const fault = findNodeFault()
  const good = `Node ${process.versions.node} reads the keys of JSON as they are.`
  return { good, wrong: fault === null ? [] : [fault] }
}

async function checkFitness({ client, database }: Examined): Promise<Found> {
  const fitness = await readFitness(client)
  const { version, writes } = findUnfit(fitness, database.name)
  const good = `PostgreSQL ${fitness.version} answers: ${database.where}.`
  return { good, wrong: [version, writes].filter((fault) => fault !== null) }
}

async function checkEncoding({ client, database }: Examined): Promise<Found> {
  const { encoding: fault } = findUnfit(await readFitness(client), database.name)
  return { good: 'The encoding of the database is UTF8.', wrong: fault === null ? [] : [fault] }
}

async function look(check: string, ask: () => Promise<Found>): Promise<Finding[]> {
  return findingsOf(check, await ask().catch(faultOf))
}

function findingsOf(check: string, { good, wrong }: Found): Finding[] {
  if (wrong.length === 0) return [{ check, state: 'good', sentence: good }]
  return wrong.map((sentence) => ({ check, state: 'wrong', sentence }))
}

function skip(checks: readonly string[], reason: string): Finding[] {
  return checks.map((check) => ({ check, state: 'skipped', sentence: `Not looked at: ${reason}.` }))
}

/** A check that could not be done. */
function faultOf(error: unknown): Found {
  const { message } = error as Error
  const sentence = error instanceof StartupError ? message : (explainDatabaseError(error) ?? message.split('\n')[0])
  return { good: '', wrong: [sentence ?? ''] }
}
