// The stack as its guides show it: Apollo's standalone server, Type-GraphQL, and MikroORM with a transaction, a find and a
// flush per append. On our tables, as far as it needs them.

import 'reflect-metadata'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { createPubSub } from '@graphql-yoga/subscription'
import { Entity, ManyToOne, PrimaryKey, Property, ReflectMetadataProvider } from '@mikro-orm/decorators/legacy'
import { type EntityManager, LockMode, MikroORM } from '@mikro-orm/postgresql'
import { useServer } from 'graphql-ws/use/ws'
import {
  Arg,
  buildSchema,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql'
import { WebSocketServer } from 'ws'

interface Context {
  readonly em: EntityManager
  readonly userId: string
}

@ObjectType()
@Entity({ tableName: 'conversation' })
class Conversation {
  @PrimaryKey({ type: 'uuid' })
  key!: string

  @Property({ type: 'string', fieldName: 'user_id' })
  userId!: string

  @Field(() => ID)
  @Property({ type: 'string' })
  id!: string

  @Field(() => String, { nullable: true })
  @Property({ type: 'string', nullable: true })
  title!: string | null

  @Field(() => Int)
  @Property({ type: 'integer', fieldName: 'last_seq' })
  lastSeq!: number

  @Property({ type: 'bigint' })
  revision!: string

  @Field(() => Date)
  @Property({ type: Date, fieldName: 'updated_at', columnType: 'timestamptz(6)' })
  updatedAt!: Date

  @Property({ type: Date, fieldName: 'deleted_at', columnType: 'timestamptz(6)', nullable: true })
  deletedAt!: Date | null
}

@ObjectType()
@Entity({ tableName: 'message' })
class Message {
  @ManyToOne(() => Conversation, { primary: true, fieldName: 'conversation_key' })
  conversation!: Conversation

  @Field(() => Int)
  @PrimaryKey({ type: 'integer' })
  seq!: number

  @Field(() => ID)
  id(): string {
    return `${this.conversation.key}:${this.seq}`
  }

  @Field(() => String)
  @Property({ type: 'string' })
  role!: string

  @Field(() => String, { nullable: true })
  @Property({ type: 'text', nullable: true })
  content!: string | null

  @Field(() => String, { nullable: true })
  @Property({ type: 'string', fieldName: 'client_id', nullable: true })
  clientId!: string | null

  @Property({ type: 'blob', fieldName: 'payload_hash', nullable: true })
  payloadHash!: Buffer | null

  @Field(() => String)
  @Property({ type: 'string' })
  status: string = 'COMPLETE'

  @Property({ type: 'integer' })
  size!: number

  @Field(() => Date)
  @Property({ type: Date, fieldName: 'created_at', columnType: 'timestamptz(6)' })
  createdAt!: Date

  @Property({ type: Date, fieldName: 'updated_at', columnType: 'timestamptz(6)' })
  updatedAt!: Date

  @Property({ type: Date, fieldName: 'deleted_at', columnType: 'timestamptz(6)', nullable: true })
  deletedAt?: Date | null
}

@ObjectType()
class PageInfo {
  @Field(() => Boolean)
  hasPreviousPage!: boolean

  @Field(() => Boolean)
  hasNextPage!: boolean

  @Field(() => String, { nullable: true })
  startCursor!: string | null

  @Field(() => String, { nullable: true })
  endCursor!: string | null
}

@ObjectType()
class MessageConnection {
  @Field(() => [Message])
  nodes!: Message[]

  @Field(() => PageInfo)
  pageInfo!: PageInfo
}

@ObjectType()
class ConversationConnection {
  @Field(() => [Conversation])
  nodes!: Conversation[]

  @Field(() => PageInfo)
  pageInfo!: PageInfo
}

@InputType()
class MessageInput {
  @Field(() => String)
  role!: string

  @Field(() => String, { nullable: true })
  content!: string | null

  @Field(() => String, { nullable: true })
  clientId!: string | null
}

@InputType()
class AppendMessageInput {
  @Field(() => ID)
  conversationId!: string

  @Field(() => MessageInput)
  message!: MessageInput
}

@ObjectType()
class AppendMessagePayload {
  @Field(() => Message)
  message!: Message

  @Field(() => Boolean)
  replayed!: boolean
}

@ObjectType()
class MessageEdge {
  @Field(() => String)
  cursor!: string

  @Field(() => Message)
  node!: Message
}

const pubSub = createPubSub<{ appended: [key: string, message: Message] }>()

@Resolver(() => Conversation)
class ConversationResolver {
  @Query(() => Conversation, { nullable: true })
  conversation(@Arg('id', () => ID) id: string, @Ctx() { em, userId }: Context): Promise<Conversation | null> {
    return em.findOne(Conversation, { key: keyOf(userId, id), userId, deletedAt: null })
  }

  @Query(() => ConversationConnection)
  async conversations(
    @Arg('first', () => Int) first: number,
    @Ctx() { em, userId }: Context,
  ): Promise<ConversationConnection> {
    const orderBy = { updatedAt: 'desc', key: 'asc' } as const
    const found = await em.find(Conversation, { userId, deletedAt: null }, { orderBy, limit: first + 1 })
    const nodes = found.slice(0, first)
    const endCursor = nodes.at(-1)?.key ?? null
    const pageInfo = { hasPreviousPage: false, hasNextPage: found.length > first, startCursor: null, endCursor }
    return { nodes, pageInfo }
  }

  @FieldResolver(() => MessageConnection)
  async messages(
    @Root() conversation: Conversation,
    @Arg('last', () => Int) last: number,
    @Ctx() { em }: Context,
  ): Promise<MessageConnection> {
    const nodes = await em.find(Message, { conversation }, { orderBy: { seq: 'desc' }, limit: last })
    nodes.reverse()
    return {
      nodes,
      pageInfo: {
        hasPreviousPage: (nodes[0]?.seq ?? 1) > 1,
        hasNextPage: false,
        startCursor: nodes[0]?.id() ?? null,
        endCursor: nodes.at(-1)?.id() ?? null,
      },
    }
  }

  @FieldResolver(() => Message, { nullable: true })
  lastMessage(@Root() conversation: Conversation, @Ctx() { em }: Context): Promise<Message | null> {
    return em.findOne(Message, { conversation, deletedAt: null }, { orderBy: { seq: 'desc' } })
  }

  @Mutation(() => AppendMessagePayload)
  async appendMessage(
    @Arg('input', () => AppendMessageInput) { conversationId, message: input }: AppendMessageInput,
    @Ctx() { em, userId }: Context,
  ): Promise<AppendMessagePayload> {
    const key = keyOf(userId, conversationId)
    const payloadHash = createHash('sha256').update(JSON.stringify(input)).digest()
    const payload = await em.transactional(async (em) => {
      const where = { key, userId, deletedAt: null }
      const conversation = await em.findOneOrFail(Conversation, where, { lockMode: LockMode.PESSIMISTIC_WRITE })
      const known = input.clientId && (await em.findOne(Message, { conversation, clientId: input.clientId }))
      if (known) {
        if (!known.payloadHash?.equals(payloadHash)) throw new Error('Another message has this client id.')
        return { message: known, replayed: true }
      }
      const now = new Date()
      conversation.lastSeq += 1
      conversation.revision = String(Number(conversation.revision) + 1)
      conversation.updatedAt = now
      const message = em.create(Message, {
        ...input,
        conversation,
        seq: conversation.lastSeq,
        payloadHash,
        status: 'COMPLETE',
        size: Buffer.byteLength(input.content ?? ''),
        createdAt: now,
        updatedAt: now,
      })
      await em.flush()
      return { message, replayed: false }
    })
    if (!payload.replayed) pubSub.publish('appended', key, payload.message)
    return payload
  }

  @Subscription(() => MessageEdge, {
    topics: 'appended',
    topicId: ({ context, args }) => keyOf((context as Context).userId, args.conversationId as string),
  })
  messageAppended(@Root() message: Message, @Arg('conversationId', () => ID) _conversationId: string): MessageEdge {
    return { cursor: message.id(), node: message }
  }
}

function keyOf(userId: string, id: string): string {
  const hex = createHash('sha256').update(`${userId}\0${id}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

const orm = await MikroORM.init({
  clientUrl: process.env.DATABASE_URL as string,
  entities: [Conversation, Message],
  metadataProvider: ReflectMetadataProvider,
  ensureDatabase: false,
  pool: { min: 0, max: 16 },
})
const schema = await buildSchema({ resolvers: [ConversationResolver], pubSub, validate: false })
const apollo = new ApolloServer<Context>({ schema })
const { url } = await startStandaloneServer(apollo, {
  listen: { port: 0, host: '127.0.0.1' },
  context: async ({ req }) => ({ em: orm.em.fork(), userId: String(req.headers['x-user-id']) }),
})

// The standalone server has no WebSockets: they get a server of their own.
const sockets = createServer()
useServer(
  {
    schema,
    context: ({ connectionParams }) => ({ em: orm.em.fork(), userId: String(connectionParams?.['x-user-id']) }),
  },
  new WebSocketServer({ server: sockets, path: '/graphql' }),
)
sockets.listen(0, '127.0.0.1', () => {
  const { port } = sockets.address() as AddressInfo
  console.log(`${url}graphql ws://127.0.0.1:${port}/graphql`)
})
