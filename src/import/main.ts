import { resolve } from 'node:path'
import { findNodeFault } from '../node-check.ts'
import { importFile } from './import-file.ts'
import { Progress } from './progress.ts'
import { readSettings, SettingError, usage } from './settings.ts'

const args = process.argv.slice(2)
if (args.includes('--help') || args.includes('-h')) {
  console.log(usage)
} else if (args.length !== 1 || args[0] === undefined || args[0].startsWith('-')) {
  console.error(usage)
  process.exitCode = 1
} else {
  // npm runs its scripts in the project's folder. INIT_CWD is the folder in which npm was called.
  process.exitCode = await run(resolve(process.env.INIT_CWD ?? '', args[0]))
}

/** The exit code: 0 if everything in the file is stored. */
async function run(path: string): Promise<number> {
  const fault = findNodeFault()
  if (fault !== null) {
    console.error(fault)
    return 1
  }
  try {
    const settings = readSettings(process.env)
    const progress = new Progress(process.stderr)
    const { counts, failure } = await importFile(path, settings, progress)
    progress.clear()
    if (failure !== null) console.error(`${failure} Import the file again to go on: nothing is stored twice.`)
    console.log(
      [
        `Conversations          ${counts.conversations}`,
        `Messages stored        ${counts.stored}`,
        `Messages there before  ${counts.replayed}`,
        ...(counts.faults > 0 ? [`Lines with faults      ${counts.faults}`] : []),
      ].join('\n'),
    )
    return failure === null && counts.faults === 0 ? 0 : 1
  } catch (error) {
    const isPlain = error instanceof SettingError || (error as NodeJS.ErrnoException).syscall !== undefined
    console.error(isPlain ? (error as Error).message : error)
    return 1
  }
}
