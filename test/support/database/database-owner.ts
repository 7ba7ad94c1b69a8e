// A server reduced to its database: starts it in the folder named by the first argument, says so, and waits to be killed.

import { startEmbeddedDatabase } from '../../../src/database/embedded/embedded.ts'

const [directory = ''] = process.argv.slice(2)
const database = await startEmbeddedDatabase({ directory, settings: { fsync: 'off' } })
process.send?.(database.url)
