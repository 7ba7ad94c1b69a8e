/** Answers the same append as the servers that store it, and hands the message as an edge to `publish`. */
export function publisher(publish) {
  let seq = 0
  return (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text) => {
      body += text
    })
    request.on('end', () => {
      const { conversationId, message } = JSON.parse(body).variables.input
      seq += 1
      const node = { id: `message-${seq}`, seq, ...message, createdAt: new Date().toISOString() }
      publish(conversationId, { cursor: `cursor-${seq}`, node })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ data: { appendMessage: { message: node, replayed: false } } }))
    })
  }
}
