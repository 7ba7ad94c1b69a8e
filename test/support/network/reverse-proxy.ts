import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { startDaemon } from '../program/daemon.ts'
import { until } from '../until.ts'
import { freePort } from './listen.ts'

/** Where a proxy works, and before which servers. */
interface Place {
  readonly directory: string
  /** For TLS, and for what comes without it. */
  readonly ports: readonly [port: number, plain: number]
  readonly servers: readonly string[]
}

/**
 * How each of them is started, with the configuration of deploy/ in which only addresses, ports and certificates are others, and
 * where the certificate lies that its clients have to trust.
 */
const programs = {
  nginx: {
    // Debian's package puts it where only root looks for programs.
    path: '/usr/sbin/nginx',
    authority: 'certificate.pem',
    prepare: async (place: Place) => {
      const { directory } = place
      makeCertificate(join(directory, 'certificate.key'), join(directory, 'certificate.pem'))
      await writeFile(join(directory, 'colloquy.conf'), await nginxConfig(place, null))
      const bodies = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map((kind) => `${kind}_temp_path ${kind};`)
      const main = `daemon off; pid nginx.pid; error_log stderr; events { worker_connections 1024; }
        http { access_log off; ${bodies.join(' ')} include colloquy.conf; }`
      await writeFile(join(directory, 'nginx.conf'), main)
      return { args: ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'], env: {} }
    },
  },
  caddy: {
    path: '/usr/bin/caddy',
    // Of an authority of its own, for there is no other for an address of this machine.
    authority: '.local/share/caddy/pki/authorities/local/root.crt',
    prepare: async ({ directory, ports: [port, plain], servers }: Place) => {
      const config = await readFile('deploy/Caddyfile', 'utf8')
      // Several of them would listen on the one port of its API, and the machine is not to trust this authority.
      const options = ['admin off', 'skip_install_trust', `http_port ${plain}`]
      await writeFile(join(directory, 'Caddyfile'), `{\n\t${options.join('\n\t')}\n}\n${config}`)
      const env = { SITE_ADDRESS: `https://127.0.0.1:${port}`, SERVERS: servers.join(' '), HOME: directory }
      return { args: ['run', '--config', join(directory, 'Caddyfile'), '--adapter', 'caddyfile'], env }
    },
  },
}

export type ReverseProxyKind = keyof typeof programs

/** Whether this machine has one. Debian's packages nginx-light and caddy have them. */
export function isInstalled(kind: ReverseProxyKind): boolean {
  return spawnSync(programs[kind].path, [kind === 'nginx' ? '-v' : 'version']).error === undefined
}

/** A real nginx or Caddy before servers, as deploy/ configures it. While it runs, this process trusts its certificate. */
export class ReverseProxy implements AsyncDisposable {
  private constructor(
    /** `https://host:port`, without a path. */
    readonly url: string,
    /** `http://host:port`, of what comes without TLS. */
    readonly plainUrl: string,
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
    const [port, plain] = [await freePort(), await freePort()]
    const { path, prepare, authority } = programs[kind]
    const place: Place = { directory, ports: [port, plain], servers: ports.map((one) => `127.0.0.1:${one}`) }
    const { args, env } = await prepare(place)
    const daemon = startDaemon(stack, path, args, env)
    const url = `https://127.0.0.1:${port}`
    const trusted = getCACertificates('default')
    stack.defer(() => setDefaultCACertificates(trusted))
    await until(async () => {
      daemon.requireAlive()
      const certificate = await readFile(join(directory, authority), 'utf8').catch(() => null)
      if (certificate === null) return false
      setDefaultCACertificates([...trusted, certificate])
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
      await writeFile(join(directory, 'colloquy.conf'), await nginxConfig(place, leaving))
      daemon.process.kill('SIGHUP')
    }
    return new ReverseProxy(url, `http://127.0.0.1:${plain}`, sendTo, stack.move())
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

/** @param leaving the server that is about to be stopped */
async function nginxConfig({ ports: [port, plain], servers }: Place, leaving: 0 | 1 | null): Promise<string> {
  let config = await readFile('deploy/nginx.conf', 'utf8')
  for (const [from, to] of [
    ['listen 80;', `listen 127.0.0.1:${plain};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
    ['/etc/ssl/certs/chat.example.pem', 'certificate.pem'],
    ['/etc/ssl/private/chat.example.key', 'certificate.key'],
    ...servers.map((server, index) => [
      `server colloquy-${index + 1}:4000 `,
      `server ${server} ${index === leaving ? 'down ' : ''}`,
    ]),
  ] as [string, string][]) {
    config = replaceOnce(config, from, to)
  }
  return config
}

/** For this machine's address, signed by itself. */
function makeCertificate(key: string, certificate: string): void {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const { status, stderr } = spawnSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', certificate], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`openssl made no certificate:\n${stderr}`)
}

function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`expected one ${from}, and found ${parts.length - 1}`)
  return parts.join(to)
}
