import { findMisspelt, readConfig } from './config.ts'
import { explainDatabaseError } from './database/database-errors.ts'
import { StartupError } from './errors.ts'
import { findNodeFault } from './node-check.ts'
import { createLog } from './server/log.ts'

const stop = Promise.withResolvers<number>()
/** Ends a start that is not done yet. */
const starting = new AbortController()
// A terminal and npm may each send a signal. Only the first counts: a second must not kill what the first one waits
// for.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stop.resolve(0)
    starting.abort()
  })
}

try {
  const fault = findNodeFault()
  if (fault !== null) throw new StartupError(fault)
  const [argument] = process.argv.slice(2)
  if (argument !== undefined) {
    throw new StartupError(
      `npm start takes no arguments, and ${argument} was given: settings are environment variables, as in PORT=4100 npm start`,
    )
  }
  const config = readConfig(process.env)
  const log = createLog(config.logLevel)
  for (const sentence of findMisspelt(process.env)) log.warn(sentence)
  const onLost = (error: Error) => {
    log.fatal({ err: error }, 'the embedded database is gone')
    stop.resolve(1)
  }
  // Loading the server takes most of the time of a start. What is wrong with the settings is told before that.
  const { startServer } = await import('./server/server.ts')
  const { printWelcome } = await import('./server/welcome.ts')
  starting.signal.throwIfAborted()
  await using server = await startServer(config, log, onLost, starting.signal)
  printWelcome(config, server)
  process.exitCode = await stop.promise
} catch (error) {
  // A start that was told to stop throws why it ended. That is no fault.
  if (!starting.signal.aborted) {
    console.error(sentenceOf(error))
    process.exitCode = 1
  }
}

// Everything is disposed. A library may still hold a timer or a socket, for example while it dials a host that does not
// answer. It must not keep the process alive.
process.exit()

/** An error that nobody foresaw has its stack as well, if everything is to be logged. */
function sentenceOf(error: unknown): unknown {
  if (error instanceof StartupError) return error.message
  const explained = explainDatabaseError(error)
  if (explained !== null) return `The database does not serve: ${explained}`
  if (/^(debug|trace)$/.test(process.env.LOG_LEVEL ?? '')) return error
  const message = error instanceof Error ? error.message : String(error)
  return `The server cannot start: ${message.trim().split('\n')[0]} (LOG_LEVEL=debug npm start shows where.)`
}
