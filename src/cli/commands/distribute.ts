import type { Command } from 'commander'
import { type Config, readConfig } from '../../config.ts'
import { StartupError } from '../../errors.ts'
import { connect, openDatabase } from '../database.ts'

export function define(command: Command): void {
  command
    .description(
      'Spreads conversations that are there already over the workers of Citus, table by table. Stop all servers first. It ' +
        'says each step before it begins, and goes on where an earlier run ended. Empty tables are spread by the server ' +
        'itself when it starts.',
    )
    .addHelpText('after', '\nThe database is that of DATABASE_DIRECT_URL or DATABASE_URL, the coordinator of Citus.')
    .option('--dry-run', 'only say the steps that it would take')
    .action(distribute)
}

async function distribute({ dryRun }: { dryRun?: true }): Promise<void> {
  const config = readConfig(process.env)
  const { databaseUrl, directUrl = databaseUrl, pool } = config
  if (directUrl === undefined) {
    throw new StartupError('The embedded PostgreSQL has no workers; set DATABASE_URL to the coordinator of Citus')
  }
  if (dryRun) return plan(config)
  const { migrate } = await import('../../database/migrate.ts')
  const { distributeAll } = await import('../../database/distribute.ts')
  const tell = (sentence: string) => console.log(sentence)
  await migrate(directUrl, pool, { tell, distribute: (client) => distributeAll(client, tell) })
  console.log('All conversations are spread over the workers.')
}

async function plan(config: Config): Promise<void> {
  const { planDistribution } = await import('../../database/distribute.ts')
  const { readMigrationStatus } = await import('../../database/migration-status.ts')
  await using database = await openDatabase(config, 'refuse')
  await using client = await connect(database, config.pool)
  const { waiting } = await readMigrationStatus(client)
  if (waiting.length > 0) throw new StartupError(`${waiting.join(', ')} waits; run colloquy migrate up first`)
  const steps = await planDistribution(client)
  console.log([...steps, `${steps.length} steps. Nothing was changed.`].join('\n'))
}
