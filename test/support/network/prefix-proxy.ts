import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/**
 * A proxy that serves a server below `/chat/`, and beside it, at `/token`, a bearer token.
 *
 * @param target `http://host:port` of the server
 */
export async function startPrefixProxy(
  target: string,
  token: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const { hostname, port } = new URL(target)
  const below = (url = '') => (url.startsWith('/chat/') ? url.slice('/chat'.length) : null)
  const proxy = createServer((incoming, response) => {
    if (incoming.url === '/token') return response.end(JSON.stringify({ token }))
    const path = below(incoming.url)
    if (path === null) return response.writeHead(404).end()
    const { method, headers } = incoming
    const outgoing = request({ hostname, port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(outgoing)
  })
  proxy.on('upgrade', (incoming, socket, head) => {
    const server = connect(Number(port), hostname)
    const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}`)
    server.write(`GET ${below(incoming.url)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    server.write(head)
    server.pipe(socket).pipe(server)
    for (const end of [server, socket]) end.on('error', () => {})
    socket.on('close', () => server.destroy())
  })
  const sockets = new Set<Socket>()
  proxy.on('connection', (socket) => sockets.add(socket))
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/chat/`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
