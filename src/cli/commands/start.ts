import type { Command } from 'commander'
import { describeSettings, findMisspelt, readConfig } from '../../config.ts'
import { createLog } from '../../server/log.ts'

export function define(command: Command): void {
  command
    .description(
      'Starts the server, on a database that it brings up to date first: that of DATABASE_URL, or the embedded one in ' +
        'DATA_DIR. It ends with SIGTERM, SIGINT or SIGHUP, after it has answered what is in flight.',
    )
    .addHelpText(
      'after',
      () => `\nSettings are environment variables, as in PORT=4100 colloquy start:\n\n${settings()}`,
    )
    .action(async () => {
      process.exitCode = await start()
    })
}

/** @returns the exit code */
export async function start(): Promise<number> {
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
    const config = readConfig(process.env)
    const log = createLog(config.logLevel)
    for (const sentence of findMisspelt(process.env)) log.warn(sentence)
    const onLost = (error: Error) => {
      log.fatal({ err: error }, 'the embedded database is gone')
      stop.resolve(1)
    }
    // Loading the server takes most of the time of a start. What is wrong with the settings is told before that.
    const { startServer } = await import('../../server/server.ts')
    const { printWelcome } = await import('../../server/welcome.ts')
    const { buildWeb } = await import('../../server/web/web-build.ts')
    starting.signal.throwIfAborted()
    await using server = await startServer(config, log, onLost, starting.signal)
    printWelcome(config, server)
    // Nobody waits for it: the page says that it is being built.
    await using _page = config.web.isOn ? buildWeb() : null
    return await stop.promise
  } catch (error) {
    // A start that was told to stop throws why it ended. That is no fault.
    if (!starting.signal.aborted) throw error
    return 0
  }
}

function settings(): string {
  return describeSettings()
    .map(({ name, default: fallback, takes, meaning }) => {
      const value = fallback === '' ? takes : `${takes} (${fallback})`
      return `  ${name}\n    ${meaning.replaceAll('`', '')}\n    ${value}`
    })
    .join('\n')
}
