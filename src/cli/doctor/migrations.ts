import { readMigrationStatus } from '../../database/migration-status.ts'
import type { Examined, Found } from './finding.ts'

export async function checkMigrations({ client }: Examined): Promise<Found> {
  const { applied, waiting, unknown } = await readMigrationStatus(client)
  const later = unknown.length === 0 ? '' : `, and ${unknown.join(', ')} of a later version`
  return {
    good: `All ${applied.length} migrations are applied${later}.`,
    wrong:
      waiting.length === 0
        ? []
        : [`Migrations wait: ${waiting.join(', ')}; start a server of this version, or run colloquy migrate up`],
  }
}
