import { readConfig } from './config.ts'
import { distributeAll } from './database/distribute.ts'
import { migrate } from './database/migrate.ts'
import { StartupError } from './errors.ts'
import { findNodeFault } from './node-check.ts'

/*
 * `npm run distribute`: spreads conversations that are there already over the workers of Citus. Empty tables are spread by
 * the server itself when it starts.
 */
try {
  const fault = findNodeFault()
  if (fault !== null) throw new StartupError(fault)
  const { databaseUrl, directUrl = databaseUrl, pool } = readConfig(process.env)
  if (directUrl === undefined) {
    throw new StartupError('The embedded PostgreSQL has no workers; set DATABASE_URL to the coordinator of Citus')
  }
  const tell = (sentence: string) => console.log(sentence)
  await migrate(directUrl, pool, { tell, distribute: (client) => distributeAll(client, tell) })
  console.log('All conversations are spread over the workers.')
} catch (error) {
  console.error(error instanceof StartupError ? error.message : error)
  process.exitCode = 1
}
