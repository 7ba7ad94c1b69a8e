import { readConfig } from './config.ts'
import { StartupError } from './errors.ts'
import { findNodeFault } from './node-check.ts'
import { createLog } from './server/log.ts'
import { startServer } from './server/server.ts'
import { printWelcome } from './server/welcome.ts'

const stop = Promise.withResolvers<number>()
// A terminal and npm may each send a signal. Only the first counts: a second must not kill what the first one waits
// for.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop.resolve(0))

try {
  const fault = findNodeFault()
  if (fault !== null) throw new StartupError(fault)
  const config = readConfig(process.env)
  const log = createLog(config.logLevel)
  await using server = await startServer(config, log, (error) => {
    log.fatal({ err: error }, 'the embedded database is gone')
    stop.resolve(1)
  })
  printWelcome(config, server)
  process.exitCode = await stop.promise
} catch (error) {
  console.error(error instanceof StartupError ? error.message : error)
  process.exitCode = 1
}

// Everything is disposed. A library may still hold a timer or a socket, for example while it dials a host that does not
// answer. It must not keep the process alive.
process.exit()
