import { connect } from 'node:net'
import { listen } from '../network/listen.ts'

/**
 * Does to the first packet of a connection what PgBouncer does to settings that it does not know, by itself or with
 * `ignore_startup_parameters`: https://www.pgbouncer.org/config.html (2026-11).
 */
export class DroppingPooler implements AsyncDisposable {
  private constructor(
    readonly url: string,
    private readonly server: AsyncDisposable,
  ) {}

  static async before(databaseUrl: string, what: 'refuses' | 'drops'): Promise<DroppingPooler> {
    const target = new URL(databaseUrl)
    const server = await listen((socket) => {
      socket.on('error', () => {})
      socket.once('data', (packet) => {
        // Length, protocol 3.0, then names and values that end with NUL, and a NUL at the end.
        const texts = packet.subarray(8, -2).toString().split('\0')
        const pairs = texts.flatMap((name, index) => (index % 2 === 0 ? [[name, texts[index + 1] as string]] : []))
        const unknown = pairs.find(([name]) => name === 'options' || name?.endsWith('_timeout'))
        if (unknown && what === 'refuses') {
          const fields = `SFATAL\0C08P01\0Munsupported startup parameter: ${unknown[0]}\0\0`
          const length = Buffer.alloc(4)
          length.writeInt32BE(4 + fields.length)
          socket.end(Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)]))
          return
        }
        const kept = pairs.filter(([name]) => name === 'user' || name === 'database')
        const body = Buffer.from(`${kept.flat().join('\0')}\0\0`)
        const head = Buffer.alloc(8)
        head.writeInt32BE(8 + body.length)
        head.writeInt32BE(196_608, 4)
        const host = decodeURIComponent(target.hostname)
        const port = Number(target.port || 5432)
        const upstream = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
        upstream.on('error', () => {})
        upstream.write(Buffer.concat([head, body]))
        socket.pipe(upstream).pipe(socket)
      })
    })
    const url = new URL(databaseUrl)
    return new DroppingPooler(`postgresql://${url.username}@127.0.0.1:${server.port}${url.pathname}`, server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
  }
}
