import { explainDatabaseError } from './database/database-errors.ts'
import { StartupError } from './errors.ts'
import { findNodeFault } from './node-check.ts'

// To read the maps takes half a second. With them a stack names the sources instead of the bundle.
if (isAllLogged()) process.setSourceMapsEnabled(true)

process.exitCode = await run(process.argv.slice(2))

// Everything is disposed. A library may still hold a timer or a socket, for example while it dials a host that does not
// answer. It must not keep the process alive.
process.exit()

/** Runs the command that is named; without one, the server. The exit code: 0 done, 1 failed, 2 wrong use. */
async function run(args: readonly string[]): Promise<number> {
  const [name = 'start', ...more] = args
  try {
    // `doctor` tells it among all that it finds.
    const fault = name === 'doctor' ? null : findNodeFault()
    if (fault !== null) throw new StartupError(fault)
    // A start does not wait for the parser of arguments, which takes about 30 ms of the processor to load.
    if (name === 'start' && more.length === 0) return await (await import('./cli/commands/start.ts')).start()
    return await (await import('./cli/program.ts')).run(args)
  } catch (error) {
    console.error(sentenceOf(error, name))
    return 1
  }
}

/** An error that nobody foresaw has its stack as well, if everything is to be logged. */
function sentenceOf(error: unknown, command: string): unknown {
  if (error instanceof StartupError) return error.message
  // The codes of a file's errors are also those of a network.
  if (isOfFile(error)) return error.message
  const explained = explainDatabaseError(error)
  if (explained !== null) return `The database does not serve: ${explained}`
  if (isAllLogged()) return error
  const message = error instanceof Error ? error.message : String(error)
  return `colloquy ${command} failed: ${message.trim().split('\n')[0]} (LOG_LEVEL=debug shows where.)`
}

function isAllLogged(): boolean {
  return /^(debug|trace)$/.test(process.env.LOG_LEVEL ?? '')
}

function isOfFile(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).path === 'string'
}
