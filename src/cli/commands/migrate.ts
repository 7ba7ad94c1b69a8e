import type { Command } from 'commander'
import { type Config, readConfig } from '../../config.ts'
import type { MigrationStatus } from '../../database/migration-status.ts'
import { connect, type OpenDatabase, openDatabase } from '../database.ts'

export function define(command: Command): void {
  command.description(
    'Every server brings its database up to date when it starts. These commands do it, or say whether it has been done, ' +
      'without a server. The database is that of DATABASE_DIRECT_URL or DATABASE_URL, or the embedded one in DATA_DIR.',
  )
  command
    .command('up')
    .description('Runs the migrations that wait, and spreads empty tables where Citus has workers.')
    .option('--json', 'print what was applied as JSON')
    .action(up)
  command
    .command('status')
    .description('Says by name which migrations are applied and which wait. It changes nothing.')
    .option('--json', 'print them as JSON')
    .action(status)
}

async function up({ json }: { json?: true }): Promise<void> {
  const config = readConfig(process.env)
  await using database = await openDatabase(config, 'make')
  const { waiting } = await readStatus(database, config)
  const { migrate } = await import('../../database/migrate.ts')
  const tell = (sentence: string) => console.error(sentence)
  const { advice } = await migrate(database.directUrl, config.pool, { name: database.name, tell })
  if (json) return console.log(JSON.stringify({ applied: waiting, advice }, null, 2))
  for (const name of waiting) console.log(`applied  ${name}`)
  console.log(waiting.length === 0 ? 'No migration was waiting.' : 'The database is up to date.')
  if (advice !== null) console.error(advice)
}

async function status({ json }: { json?: true }): Promise<void> {
  const config = readConfig(process.env)
  await using database = await openDatabase(config, 'refuse')
  const { applied, waiting, unknown } = await readStatus(database, config)
  if (json) return console.log(JSON.stringify({ applied, waiting, unknown }, null, 2))
  const rows = [
    ...applied.map(({ name, at }) => ['applied', at, name]),
    ...unknown.map((name) => ['unknown', '', `${name}, of a later version of Colloquy`]),
    ...waiting.map((name) => ['waiting', '', name]),
  ]
  for (const [state = '', at = '', name] of rows) console.log(`${state}  ${at.padEnd(20)}  ${name}`)
}

async function readStatus(database: OpenDatabase, { pool }: Config): Promise<MigrationStatus> {
  // It knows the migrations by MikroORM, which takes long to load.
  const { readMigrationStatus } = await import('../../database/migration-status.ts')
  await using client = await connect(database, pool)
  return await readMigrationStatus(client)
}
