import { findWhetherSettingsHold } from '../../database/pooler.ts'
import type { Examined, Found } from './finding.ts'

/** Whether sessions have the settings that they need, though a pooler may stand before the database. */
export async function checkSessions({ config, database }: Examined): Promise<Found> {
  const holds = await findWhetherSettingsHold(database.url, config.directUrl, config.pool)
  const good = holds
    ? 'Sessions keep the settings that they ask for.'
    : 'A connection pooler stands before the database; the role has the settings that sessions need, and DATABASE_DIRECT_URL leads past it.'
  return { good, wrong: [] }
}
