// The limit: one text, ready to be sent, to every WebSocket. No GraphQL and no database.

import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { publisher } from './publisher.mjs'

const sockets = new WebSocketServer({ noServer: true })
const server = createServer(
  publisher((_, edge) => {
    const text = JSON.stringify({ id: '1', type: 'next', payload: { data: { messageAppended: edge } } })
    for (const socket of sockets.clients) socket.send(text)
  }),
)
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, () => sockets.emit('connection', socket, request))
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/graphql`))
