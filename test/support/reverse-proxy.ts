import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './listen.ts'
import { until } from './until.ts'

/** How each of them is started, with the configuration of deploy/ in which only addresses and ports are others. */
const programs = {
  nginx: {
    // Debian's package puts it where only root looks for programs.
    path: '/usr/sbin/nginx',
    prepare: async (directory: string, port: number, servers: readonly string[], leaving: number | null = null) => {
      let config = await readFile('deploy/nginx.conf', 'utf8')
      config = replaceOnce(config, 'listen 80;', `listen 127.0.0.1:${port};`)
      for (const [index, server] of servers.entries()) {
        const place = `server ${server} ${index === leaving ? 'down ' : ''}`
        config = replaceOnce(config, `server colloquy-${index + 1}:4000 `, place)
      }
      await writeFile(join(directory, 'colloquy.conf'), config)
      const bodies = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map((kind) => `${kind}_temp_path ${kind};`)
      const main = `daemon off; pid nginx.pid; error_log stderr; events { worker_connections 1024; }
        http { access_log off; ${bodies.join(' ')} include colloquy.conf; }`
      await writeFile(join(directory, 'nginx.conf'), main)
      return { args: ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'], env: {} }
    },
  },
  caddy: {
    path: '/usr/bin/caddy',
    prepare: async (directory: string, port: number, servers: readonly string[]) => {
      const config = await readFile('deploy/Caddyfile', 'utf8')
      // Several of them would listen on the one port of its API.
      await writeFile(join(directory, 'Caddyfile'), `{\n\tadmin off\n}\n${config}`)
      const env = { SITE_ADDRESS: `http://127.0.0.1:${port}`, SERVERS: servers.join(' '), HOME: directory }
      return { args: ['run', '--config', join(directory, 'Caddyfile'), '--adapter', 'caddyfile'], env }
    },
  },
}

export type ReverseProxyKind = keyof typeof programs

/** Whether this machine has one. Debian's packages nginx-light and caddy have them. */
export function isInstalled(kind: ReverseProxyKind): boolean {
  return spawnSync(programs[kind].path, [kind === 'nginx' ? '-v' : 'version']).error === undefined
}

/** A real nginx or Caddy before servers, as deploy/ configures it. */
export class ReverseProxy implements AsyncDisposable {
  private constructor(
    /** `http://host:port`, without a path. */
    readonly url: string,
    private readonly sendTo: (leaving: 0 | 1 | null) => Promise<void>,
    private readonly stack: AsyncDisposableStack,
  ) {}

  /** @param ports of the two servers, on this machine */
  static async before(kind: ReverseProxyKind, ports: readonly [number, number]): Promise<ReverseProxy> {
    await using stack = new AsyncDisposableStack()
    const directory = await mkdtemp(join(tmpdir(), `${kind}-`))
    stack.defer(() => rm(directory, { recursive: true, force: true }))
    // What nginx does for root, it does as another user.
    await chmod(directory, 0o755)
    const port = await freePort()
    const { path, prepare } = programs[kind]
    const servers = ports.map((one) => `127.0.0.1:${one}`)
    const { args, env } = await prepare(directory, port, servers)
    const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    const ended = once(child, 'close')
    stack.defer(async () => {
      child.kill('SIGTERM')
      await ended
    })
    const url = `http://127.0.0.1:${port}`
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${kind} did not start:\n${output}`)
      return await fetch(url).then(
        async (response) => {
          await response.text()
          return true
        },
        () => false,
      )
    })
    const sendTo = async (leaving: 0 | 1 | null) => {
      if (kind === 'caddy') return
      await programs.nginx.prepare(directory, port, servers, leaving)
      child.kill('SIGHUP')
    }
    return new ReverseProxy(url, sendTo, stack.move())
  }

  /** What its operator does before a server is stopped; Caddy finds out by itself. */
  takeOut(leaving: 0 | 1): Promise<void> {
    return this.sendTo(leaving)
  }

  /** What its operator does when both servers are there again. */
  takeIn(): Promise<void> {
    return this.sendTo(null)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync()
  }
}

function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`expected one ${from}, and found ${parts.length - 1}`)
  return parts.join(to)
}
