import { findNodeFault } from '../node-check.ts'
import { requireServer, Unreachable } from './client.ts'
import { FileError } from './file/items.ts'
import { importFile } from './import-file.ts'
import { Report } from './report.ts'
import { readArguments, readSettings, SettingError, usage } from './settings.ts'

process.exitCode = await run(process.argv.slice(2))

/** The exit code: 0 if nothing was left out because of a fault. */
async function run(args: readonly string[]): Promise<number> {
  const fault = findNodeFault()
  if (fault !== null) {
    console.error(fault)
    return 1
  }
  try {
    const given = readArguments(args)
    if (given === null) {
      console.log(usage)
      return 0
    }
    const settings = readSettings(process.env)
    await requireServer(settings)
    const report = new Report(process.stderr)
    const failure = await importFile(given.path, given.format, settings, report)
    const summary = report.summary()
    if (failure !== null) console.error(`${failure} Import the file again to go on: nothing is stored twice.`)
    console.log(summary)
    return failure === null && !report.hasFaults ? 0 : 1
  } catch (error) {
    const isPlain =
      error instanceof SettingError ||
      error instanceof FileError ||
      error instanceof Unreachable ||
      (error as NodeJS.ErrnoException).syscall !== undefined
    console.error(isPlain ? (error as Error).message : error)
    return 1
  }
}
