import { createClient } from 'graphql-ws'

const url = process.env.COLLOQUY_URL ?? 'http://127.0.0.1:4000/graphql'
const user = { 'x-user-id': 'ada' }
const query = `mutation { appendMessage(input: {
  conversationId: "hello", ifMissing: CREATE, message: { role: USER, content: "Hello, world" }
}) { message { seq } } }`
await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...user },
  body: JSON.stringify({ query }),
})

const socket = createClient({ url: url.replace('http', 'ws'), connectionParams: user })
const follow = 'subscription { messageAppended(conversationId: "hello", after: "") { node { seq role content } } }'
for await (const { data } of socket.iterate({ query: follow })) console.log(data.messageAppended.node)
