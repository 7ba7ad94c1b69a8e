import { createClient } from 'graphql-ws'

const url = process.env.COLLOQUY_URL || `http://127.0.0.1:${process.env.PORT || 4000}/graphql`
const user = { 'x-user-id': 'local' }
const query = `mutation { appendMessage(input: {
  conversationId: "hello", ifMissing: CREATE, message: { role: USER, content: "Hello, world" }
}) { message { seq } } }`
const follow = 'subscription { messageAppended(conversationId: "hello", after: "") { node { seq role content } } }'

try {
  if (process.argv.length > 2) throw new Error(`it takes no arguments, and ${process.argv[2]} was given`)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...user },
    body: JSON.stringify({ query }),
  })
  const { errors } = await response.json()
  if (errors) throw new Error(errors[0].message)
  const socket = createClient({ url: url.replace('http', 'ws'), connectionParams: user })
  for await (const { data } of socket.iterate({ query: follow })) console.log(data.messageAppended.node)
} catch (error) {
  const reason = error.cause?.code || error.reason || error.message
  console.error(`hello failed: ${reason}. It needs the server at ${url}: npm start, or name yours in COLLOQUY_URL.`)
  process.exitCode = 1
}
