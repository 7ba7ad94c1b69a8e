import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, lchown, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { StartupError } from '../../errors.ts'
import { type Binaries, findBinaries } from './embedded-binaries.ts'

/** Where a cluster lies. */
export interface ClusterPlace {
  /**
   * The folder that holds the cluster and its log: absolute, without symbolic links, so that every start sees the same
   * path.
   */
  readonly directory: string
  /** PostgreSQL's data directory. */
  readonly data: string
  readonly log: string
}

/** A data directory that PostgreSQL can be started on. */
export interface Cluster extends ClusterPlace {
  readonly binaries: Binaries
  readonly settings: Readonly<Record<string, string>>
  /** The user to run PostgreSQL as if this process is root: PostgreSQL refuses to run as root. */
  readonly uid: number | undefined
}

/**
 * The only role. It needs no password: only users who may enter the data directory (mode 0700) can reach the socket.
 */
export const superuser = 'colloquy'

/**
 * Makes the folder and the cluster in it if they are missing.
 * @throws StartupError if the folder is not writable, is not ours, or holds another major version
 */
export async function prepareCluster(
  path: string,
  settings: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Cluster> {
  const binaries = await findBinaries()
  try {
    await makeFolder(path)
    const place = await placeIn(path)
    const { directory, data } = place
    if (!(await holdsCluster(data, binaries.majorVersion)))
      await initialize(directory, data, binaries, settings, signal)
    const uid = await ownerOf(data)
    return { binaries, ...place, settings, uid }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof StartupError || !(error instanceof Error)) throw error
    throw new StartupError(`${path} cannot hold a database: ${error.message}; set DATA_DIR to a folder that can`)
  }
}

/** The cluster that is in the folder already; null: there is none. It makes nothing. */
export async function findCluster(path: string): Promise<ClusterPlace | null> {
  const place = await placeIn(path).catch(absent)
  const version = place && (await readFile(join(place.data, 'PG_VERSION')).catch(absent))
  return place === undefined || version === undefined ? null : place
}

/** The command that runs one of PostgreSQL's programs as the user `uid`; undefined: as the user of this process. */
export function commandAs(uid: number | undefined, program: string, args: string[]): [string, string[]] {
  if (uid === undefined) return [program, args]
  // dac_override lets PostgreSQL reach its programs and its data below folders that only root may enter, such as /root.
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup']
  return ['setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...capability, program, ...args]]
}

async function placeIn(path: string): Promise<ClusterPlace> {
  const directory = await realpath(path)
  return { directory, data: join(directory, 'postgres'), log: join(directory, 'postgres.log') }
}

const isRoot = process.getuid?.() === 0
/** The id of `nobody`, on every system. */
const unprivileged = 65534

/**
 * Makes the folder, and those above it that are missing. Node's `mkdir` with `recursive` never ends if the folder
 * above is there and the system says all the same that it is missing, as below /proc.
 */
async function makeFolder(path: string): Promise<void> {
  const isMade = async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    if (!(await stat(path)).isDirectory()) throw new Error('it is a file')
  }
  try {
    await mkdir(path, { mode: 0o700 }).catch(isMade)
  } catch (error) {
    const above = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === path) throw error
    await makeFolder(above)
    await mkdir(path, { mode: 0o700 }).catch(isMade)
  }
}

async function holdsCluster(data: string, majorVersion: string): Promise<boolean> {
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(absent)
  if (version?.trim() === majorVersion) return true
  if (version !== undefined) {
    throw new StartupError(
      `${data} was written by PostgreSQL ${version.trim()}, and this is PostgreSQL ${majorVersion}: ` +
        `dump it with PostgreSQL ${version.trim()} and restore it into a new DATA_DIR, or set DATABASE_URL`,
    )
  }
  const entries = (await readdir(data).catch(absent)) ?? []
  if (entries.length > 0) throw new StartupError(`${data} is not empty and holds no PostgreSQL cluster`)
  return false
}

/**
 * initdb works on a directory beside the final one, so that an initdb that is killed leaves nothing that looks like a
 * cluster. If two servers do this at once, one rename fails because it finds the other's cluster in its place. That
 * cluster is just as good.
 */
async function initialize(
  directory: string,
  data: string,
  binaries: Binaries,
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await removeLeftovers(directory)
  const temporary = `${data}.init-${process.pid}-${randomBytes(4).toString('hex')}`
  await mkdir(temporary, { mode: 0o700 })
  try {
    const uid = isRoot ? unprivileged : undefined
    if (uid !== undefined) await chown(temporary, uid, uid)
    await initdb(temporary, binaries, uid, settings.fsync === 'off', signal)
    await rename(temporary, data).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await holdsCluster(data, binaries.majorVersion))) throw error
    })
    await using folder = await open(directory)
    await folder.sync()
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** The built-in C.UTF-8 sorts in the same way on every platform and with every libc. */
async function initdb(
  target: string,
  binaries: Binaries,
  uid: number | undefined,
  volatile: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const args = [`--pgdata=${target}`, `--username=${superuser}`, '--auth=trust', '--encoding=UTF8', '--no-instructions']
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  if (volatile) args.push('--no-sync')
  try {
    await promisify(execFile)(...commandAs(uid, binaries.initdb, args), { signal })
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string }
    const reason = stderr.split('\n').find((line) => /error|fatal/i.test(line)) ?? message
    const said = reason.replace(/^.*?(FATAL|ERROR): +/, '').trim()
    throw new StartupError(
      `${target} cannot hold a database, because initdb failed: ${said}; set DATA_DIR to a folder that can`,
    )
  }
}

/**
 * Removes what servers left that were killed during initdb. A server that is still at work is alive, and its directory
 * is less than ten minutes old.
 */
async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /^postgres\.init-(\d+)-/.exec(name)?.[1]
    const path = join(directory, name)
    if (!pid) continue
    const age = Date.now() - ((await stat(path).catch(absent))?.mtimeMs ?? 0)
    if (age > 600_000 || !isAlive(Number(pid))) await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function ownerOf(data: string): Promise<number | undefined> {
  const { uid } = await stat(data)
  if (!isRoot) {
    if (uid === process.getuid?.()) return undefined
    throw new StartupError(`${data} belongs to another user (uid ${uid}): start the server as that user`)
  }
  if (uid !== 0) return uid
  // Root restored the data from a copy, and PostgreSQL must own it.
  for (const entry of await readdir(data, { recursive: true })) {
    await lchown(join(data, entry), unprivileged, unprivileged)
  }
  await chown(data, unprivileged, unprivileged)
  await chmod(data, 0o700)
  return unprivileged
}

/** Answers undefined for a file that does not exist, and throws every other failure again. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
