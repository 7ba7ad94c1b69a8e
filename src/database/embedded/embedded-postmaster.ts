import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chown, lstat, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { StartupError } from '../../errors.ts'
import { type Cluster, type ClusterPlace, commandAs } from './embedded-cluster.ts'

/** PostgreSQL's parent process for one cluster. This server or an earlier one started it. */
export interface Postmaster {
  readonly pid: number
  readonly socketDirectory: string
  isRunning(): Promise<boolean>
  /** The line of the log that best says why the postmaster ended. */
  lastWords(): Promise<string>
  /**
   * Asks for a fast shutdown, and after `limit` milliseconds for an immediate one. Returns when the postmaster and its
   * socket are gone.
   */
  stop(limit: number): Promise<void>
}

/** Nothing listens on this port: it is only part of the name of the socket's file. */
export const port = 5432

/**
 * The postmaster that runs on a cluster, by its `postmaster.pid`. Another program that has got this pid since then is
 * not taken for it.
 */
export async function findPostmaster(cluster: ClusterPlace): Promise<Postmaster | undefined> {
  const path = join(cluster.data, 'postmaster.pid')
  const content = await readFile(path, 'utf8').catch(() => '')
  // Lines: pid, data directory, start time, port, socket directory.
  const lines = content.split('\n')
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  const command = await commandOf(pid)
  if (isOurs(command, cluster)) {
    const logStart = await stat(cluster.log).catch(() => undefined)
    return postmasterOf(cluster, pid, lines[4] || socketDirectoryOf(cluster), logStart?.size ?? 0)
  }
  if (command) await removeStale(path, content)
  return undefined
}

/** @throws StartupError if the program or its log cannot be opened */
export async function spawnPostmaster(cluster: Cluster): Promise<Postmaster> {
  const socketDirectory = await makeSocketDirectory(cluster)
  await using log = await openLog(cluster.log)
  const logStart = (await log.stat()).size
  const child = spawn(...commandAs(cluster.uid, cluster.binaries.postgres, argumentsFor(cluster, socketDirectory)), {
    // PostgreSQL has a process group of its own. So Ctrl-C in the terminal reaches only the server, which stops
    // PostgreSQL when it is done.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, LC_ALL: 'C' },
  })
  return postmasterOf(cluster, await spawned(child), socketDirectory, logStart)
}

function postmasterOf(cluster: ClusterPlace, pid: number, socketDirectory: string, logStart: number): Postmaster {
  const isRunning = async () => isOurs(await commandOf(pid), cluster)
  const end = async (signal: NodeJS.Signals, limit: number) => {
    const deadline = Date.now() + limit
    if (await isRunning()) process.kill(pid, signal)
    while ((await isRunning()) && Date.now() < deadline) await sleep(10)
  }
  return {
    pid,
    socketDirectory,
    isRunning,
    lastWords: () => lastWordsIn(cluster.log, pid, logStart),
    async stop(limit) {
      await end('SIGINT', limit)
      await end('SIGQUIT', limit)
      await end('SIGKILL', limit)
      if (socketDirectory !== cluster.data) await rm(socketDirectory, { recursive: true, force: true })
    },
  }
}

function argumentsFor(cluster: Cluster, socketDirectory: string): string[] {
  const settings = {
    listen_addresses: '',
    port: String(port),
    unix_socket_directories: `"${socketDirectory.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // `lastWordsIn` looks for this prefix.
    log_line_prefix: '%m [%p] ',
    ...cluster.settings,
  }
  return ['-D', cluster.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/**
 * The path of a socket holds at most 107 bytes (103 on macOS). If the data folder is too long for that, the socket is
 * in a private folder with a short name.
 */
function socketDirectoryOf(cluster: ClusterPlace): string {
  const longest = process.platform === 'linux' ? 107 : 103
  if (Buffer.byteLength(join(cluster.data, `.s.PGSQL.${port}`)) <= longest) return cluster.data
  return join(tmpdir(), `colloquy-${createHash('sha256').update(cluster.data).digest('hex').slice(0, 16)}`)
}

async function makeSocketDirectory(cluster: Cluster): Promise<string> {
  const path = socketDirectoryOf(cluster)
  if (path === cluster.data) return path
  const uid = cluster.uid ?? process.getuid?.() ?? 0
  try {
    await mkdir(path, { mode: 0o700 })
    if (cluster.uid !== undefined) await chown(path, uid, uid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new StartupError((error as Error).message)
    // Others can guess the name, and everyone may write to the folder around it.
    const found = await lstat(path)
    if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
      throw new StartupError(
        `${path} is not a private folder of uid ${uid}: remove it, or set DATA_DIR to a shorter path`,
      )
    }
  }
  return path
}

/** Lines are appended to the log. A log of more than 10 MB begins anew. */
async function openLog(path: string) {
  try {
    const log = await open(path, 'a', 0o600)
    if ((await log.stat()).size > 10_000_000) await log.truncate()
    return log
  } catch (error) {
    throw new StartupError(`${path} cannot be written: ${(error as Error).message}`)
  }
}

/** The pid of the child, once it runs. From then on the child does not keep this process alive. */
async function spawned(child: ChildProcess): Promise<number> {
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw new StartupError(`PostgreSQL cannot be run: ${(error as Error).message}`)
  }
  child.unref()
  return child.pid ?? 0
}

/**
 * Lines of this postmaster come first, because another server's postmaster may write to the same log. Then come lines
 * of other processes, without those that processes told their clients. Last comes any other line, for example of
 * setpriv or the linker.
 */
async function lastWordsIn(path: string, pid: number, logStart: number): Promise<string> {
  const log = (await readFile(path).catch(() => Buffer.of())).subarray(logStart).toString()
  const lines = log
    .split('\n')
    .filter((line) => line.trim() !== '' && !/FATAL: +(the database system is|terminating)/.test(line))
  const telling = lines.filter((line) => / (FATAL|PANIC): | shutdown request/.test(line))
  const line = telling.findLast((line) => line.includes(` [${pid}] `)) ?? telling.at(-1) ?? lines.at(-1)
  return line?.replace(/^.*? \[\d+\] /, '') ?? `its log ${path} is empty`
}

function isOurs(command: string | undefined, cluster: ClusterPlace): boolean {
  return command?.includes(`-D ${cluster.data} `) ?? false
}

/**
 * The command line of a process, with spaces between its arguments; undefined if there is no such process, or only its
 * zombie.
 */
async function commandOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    // The line is empty for an instant while setpriv turns into postgres, and always for a zombie and for a thread of
    // the kernel.
    for (let attempt = 0; attempt < 50; attempt++) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
      if (line !== '') return line?.replaceAll('\0', ' ')
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      if (stat === '' || /\) [ZX] /.test(stat)) return undefined
      await sleep(1)
    }
    return undefined
  }
  const ps = await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)]).catch(() => undefined)
  return ps && `${ps.stdout.trim()} `
}

/**
 * PostgreSQL itself ignores the file of a process that is gone, but not a file whose pid now belongs to another program
 * of this user. The file is moved away before it is compared, so that a file that another server wrote meanwhile can be
 * put back.
 */
async function removeStale(path: string, content: string): Promise<void> {
  const aside = `${path}.stale-${process.pid}`
  try {
    await rename(path, aside)
    if ((await readFile(aside, 'utf8')) === content) await rm(aside)
    else await rename(aside, path)
  } catch {
    // Another server was first.
  }
}
