import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Found } from './finding.ts'

const GiB = 1024 ** 3

/** PostgreSQL's log of writes alone may take this: max_wal_size. */
const usualLeast = 1 * GiB

/** @param least bytes that are to be free */
export async function checkDisk(directory: string, least = usualLeast): Promise<Found> {
  const { bavail, bsize } = await statfsAbove(resolve(directory))
  const free = bavail * bsize
  const said = `${(free / GiB).toFixed(1)} GiB are free on the disk of ${directory}`
  return {
    good: `${said}.`,
    wrong: free < least ? [`Only ${said}, and PostgreSQL stops when it is full; make room, or set DATA_DIR`] : [],
  }
}

/** Of the folder, or of the one in which it will be made. */
async function statfsAbove(path: string): Promise<StatsFs> {
  return statfs(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || dirname(path) === path) throw error
    return statfsAbove(dirname(path))
  })
}
