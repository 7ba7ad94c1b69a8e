import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const kept = join(root, 'node_modules/.cache/releases')

/**
 * The folder of an earlier release, built: once, because what a tag names never changes.
 *
 * @returns null: this clone does not have the tag, and cannot fetch it
 */
export function buildRelease(tag: string): string | null {
  const commit = findCommit(tag)
  if (commit === null) return null
  const folder = join(kept, commit)
  if (existsSync(folder)) return folder
  mkdirSync(kept, { recursive: true })
  const building = mkdtempSync(`${folder}-`)
  try {
    run(building, 'sh', '-c', `git -C "$0" archive ${commit} | tar -x`, root)
    if (hasSameDependencies(building)) symlinkSync(join(root, 'node_modules'), join(building, 'node_modules'))
    else run(building, 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund')
    run(building, join(root, 'node_modules/.bin/tsc'), '-p', 'tsconfig.build.json')
    renameSync(building, folder)
  } finally {
    rmSync(building, { recursive: true, force: true })
  }
  return folder
}

/** A shallow clone has no tags. */
function findCommit(tag: string): string | null {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8', timeout: 60_000 })
  const parse = () => git('rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`).stdout?.trim() || null
  return (
    parse() ?? (git('fetch', '--depth=1', 'origin', `refs/tags/${tag}:refs/tags/${tag}`).status === 0 ? parse() : null)
  )
}

function hasSameDependencies(folder: string): boolean {
  const [theirs, ours] = [folder, root].map(packagesOf) as [Packages, Packages]
  return Object.entries(theirs).every(
    ([path, { version, dev }]) => path === '' || dev || ours[path]?.version === version,
  )
}

type Packages = Record<string, { readonly version?: string; readonly dev?: boolean }>

function packagesOf(folder: string): Packages {
  return JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages
}

function run(cwd: string, command: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
}
