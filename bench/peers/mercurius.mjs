// What a good Node engineer would write by hand for speed: mercurius with its compiled executor, one prepared statement
// per question, rows as arrays, timestamps that nobody parses, a loader for the last messages.

import { createHash } from 'node:crypto'
import Fastify from 'fastify'
import mercurius from 'mercurius'
import pg from 'pg'

const session = {
  connectionString: process.env.DATABASE_URL,
  options: '-c TimeZone=UTC -c DateStyle=ISO -c plan_cache_mode=force_generic_plan -c jit=off',
}

/** A pool of 16 connections, or as many pipelines as PIPELINES says. A question goes to the pipelines in turn. */
const pipelines = Array.from(
  { length: Number(process.env.PIPELINES ?? 0) },
  () => new pg.Client({ ...session, pipeline: true }),
)
await Promise.all(pipelines.map((client) => client.connect()))
const pool = pipelines.length > 0 ? null : new pg.Pool({ ...session, max: 16 })
let asked = 0
const next = () => pool ?? pipelines[asked++ % pipelines.length]

const types = {
  getTypeParser: (oid) => (oid === 23 ? Number : oid === 1184 ? toTimestamp : (value) => value),
}

async function query(name, text, values) {
  const { rows } = await next().query({ name, text, values, rowMode: 'array', types })
  return rows
}

function toTimestamp(value) {
  return `${value.slice(0, 10)}T${value.slice(11, -3)}Z`
}

function keyOf(userId, id) {
  const hex = createHash('sha256').update(`${userId}\0${id}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

const columns = 'seq, role, content, client_id, status, created_at'

function toMessage(key, row, at = 0) {
  return {
    id: `${key}:${row[at]}`,
    seq: row[at],
    role: row[at + 1],
    content: row[at + 2],
    clientId: row[at + 3],
    status: row[at + 4],
    createdAt: row[at + 5],
  }
}

const append = `
  with moved as (
    update conversation set last_seq = last_seq + 1, revision = revision + 1,
      updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
    where key = $1 and user_id = $2 and deleted_at is null
    returning key, last_seq, updated_at
  )
  insert into message (conversation_key, seq, role, content, client_id, payload_hash, size, created_at, updated_at)
  select key, last_seq, $3, $4, $5, $6, $7, updated_at, updated_at from moved
  returning ${columns}`

const known = `
  select ${columns}, payload_hash = $4 from message
  where conversation_key = $1 and client_id = $3
    and exists (select from conversation where key = $1 and user_id = $2 and deleted_at is null)`

const page = `
  select c.last_seq, m.* from conversation c left join lateral (
    select ${columns} from message where conversation_key = c.key and seq > c.last_seq - $3 order by seq
  ) m on true
  where c.key = $1 and c.user_id = $2 and c.deleted_at is null`

const list = `
  select key, id, title, updated_at, last_seq from conversation
  where user_id = $1 and deleted_at is null order by updated_at desc, key limit $2`

const lastMessages = `
  select asked.key, m.* from unnest($1::uuid[]) asked(key) cross join lateral (
    select ${columns} from message
    where conversation_key = asked.key and deleted_at is null order by seq desc limit 1
  ) m`

const typeDefs = `
  scalar DateTime
  enum MessageRole { SYSTEM DEVELOPER USER ASSISTANT TOOL }
  enum MessageStatus { STREAMING COMPLETE FAILED CANCELLED }
  type Message {
    id: ID!  seq: Int!  role: MessageRole!  content: String  clientId: String  status: MessageStatus!  createdAt: DateTime!
  }
  type PageInfo { hasPreviousPage: Boolean!  hasNextPage: Boolean!  startCursor: String  endCursor: String }
  type MessageConnection { nodes: [Message!]!  pageInfo: PageInfo! }
  type Conversation {
    id: ID!  title: String  updatedAt: DateTime!  lastSeq: Int!  lastMessage: Message
    messages(last: Int!): MessageConnection!
  }
  type ConversationConnection { nodes: [Conversation!]!  pageInfo: PageInfo! }
  type Query { conversation(id: ID!): Conversation  conversations(first: Int!): ConversationConnection! }
  input MessageInput { role: MessageRole!  content: String  clientId: String }
  input AppendMessageInput { conversationId: ID!  message: MessageInput! }
  type AppendMessagePayload { message: Message!  replayed: Boolean! }
  type Mutation { appendMessage(input: AppendMessageInput!): AppendMessagePayload! }`

const resolvers = {
  Query: {
    conversation: (_, { id }, { userId }) => ({ id, key: keyOf(userId, id), userId }),
    async conversations(_, { first }, { userId }) {
      const rows = await query('list', list, [userId, first + 1])
      const nodes = rows
        .slice(0, first)
        .map(([key, id, title, updatedAt, lastSeq]) => ({ key, id, title, updatedAt, lastSeq }))
      const last = nodes.at(-1)
      return {
        nodes,
        pageInfo: {
          hasPreviousPage: false,
          hasNextPage: rows.length > first,
          endCursor: last ? `${last.updatedAt} ${last.key}` : null,
        },
      }
    },
  },
  Conversation: {
    async messages({ key, userId }, { last }) {
      const rows = await query('page', page, [key, userId, last])
      if (rows.length === 0) throw new mercurius.ErrorWithProps('There is no such conversation.', { code: 'NOT_FOUND' })
      const nodes = rows[0][1] === null ? [] : rows.map((row) => toMessage(key, row, 1))
      return {
        nodes,
        pageInfo: {
          hasPreviousPage: nodes.length > 0 && nodes[0].seq > 1,
          hasNextPage: false,
          startCursor: nodes.length > 0 ? `${key}:${nodes[0].seq}` : null,
          endCursor: nodes.length > 0 ? `${key}:${nodes.at(-1).seq}` : null,
        },
      }
    },
  },
  Mutation: {
    async appendMessage(_, { input: { conversationId, message } }, { userId }) {
      const key = keyOf(userId, conversationId)
      const { role, content, clientId } = message
      const hash =
        clientId == null
          ? null
          : createHash('sha256')
              .update(JSON.stringify([role, content]))
              .digest()
      const size = Buffer.byteLength(content ?? '')
      try {
        const [row] = await query('append', append, [key, userId, role, content, clientId, hash, size])
        if (row === undefined) {
          throw new mercurius.ErrorWithProps('There is no such conversation.', { code: 'NOT_FOUND' })
        }
        return { message: toMessage(key, row), replayed: false }
      } catch (error) {
        if (error.code !== '23505') throw error
        const [row] = await query('known', known, [key, userId, clientId, hash])
        if (row?.[6] !== 't') throw new mercurius.ErrorWithProps('Another message has this id.', { code: 'CONFLICT' })
        return { message: toMessage(key, row), replayed: true }
      }
    },
  },
}

const loaders = {
  Conversation: {
    async lastMessage(queries) {
      const rows = await query('last-messages', lastMessages, [queries.map(({ obj }) => obj.key)])
      const byKey = new Map(rows.map((row) => [row[0], toMessage(row[0], row, 1)]))
      return queries.map(({ obj }) => byKey.get(obj.key) ?? null)
    },
  },
}

const app = Fastify()
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  loaders,
  jit: 1,
  context: ({ headers }) => ({ userId: headers['x-user-id'] }),
})
console.log(`${await app.listen({ port: 0, host: '127.0.0.1' })}/graphql`)
