import { Field, Int, ObjectType } from 'type-graphql'
import { GetterField } from '../../entities/getter-field.ts'
import { formatUuid, readBase64url, writeUuid } from '../../entities/ids/bytes.ts'
import { fromMicroseconds, Timestamp, toMicroseconds } from '../../entities/timestamp.ts'
import { badInput } from '../../errors.ts'
import {
  type WaitingConversation as Found,
  mostCounted,
  type WaitingPage,
  type WaitingPlace,
} from '../../storage/participant/waiting-page.ts'
import { PageInfo } from './connection.ts'

@ObjectType({
  description: 'A conversation that waits for a person, as those see it who support.',
  simpleResolvers: true,
})
export class WaitingConversation {
  @Field(() => Timestamp, { description: 'Since when it waits.' })
  since!: string

  @Field(() => String, { nullable: true, description: 'Why, as `waitForPerson` said it last.' })
  reason!: string | null
}

@ObjectType({ description: 'A conversation that waits, and its cursor.', simpleResolvers: true })
export class WaitingConversationEdge {
  @Field(() => String, { description: 'The place of the conversation among those that wait.' })
  cursor!: string

  @Field(() => WaitingConversation, { description: 'The conversation.' })
  node!: Found
}

@ObjectType({
  description: 'A page of conversations that wait for a person. Whichever waits longest comes first.',
  simpleResolvers: true,
})
export class WaitingConversationConnection {
  readonly #page: WaitingPage

  constructor(page: WaitingPage) {
    this.#page = page
  }

  @GetterField(() => Int, {
    description: `How many conversations wait, up to ${mostCounted}, which means ${mostCounted} or more.`,
  })
  get count(): number {
    return this.#page.count
  }

  @GetterField(() => [WaitingConversationEdge], { description: 'The conversations with their cursors.' })
  get edges(): WaitingConversationEdge[] {
    return this.nodes.map((node) => ({ cursor: cursorOf(node), node }))
  }

  @GetterField(() => [WaitingConversation], { description: 'The conversations alone.' })
  get nodes(): Found[] {
    return [...this.#page.waiting]
  }

  @GetterField(() => PageInfo, { description: 'What lies before and after this page.' })
  get pageInfo(): PageInfo {
    const { waiting } = this.#page
    return new PageInfo(this.#page, (index) => {
      const found = waiting.at(index)
      return found === undefined ? null : cursorOf(found)
    })
  }
}

const version = 1

/** The cursor: (version, key, microseconds since 1970 in 8 bytes) in base64url. */
function cursorOf({ since, conversation: { key } }: Found): string {
  const bytes = Buffer.alloc(25)
  bytes[0] = version
  writeUuid(bytes, key, 1)
  bytes.writeBigInt64BE(BigInt(toMicroseconds(since)), 17)
  return bytes.toString('base64url')
}

/** @throws ApiError BAD_USER_INPUT */
export function readWaitingCursor(path: string, cursor: string): WaitingPlace {
  const bytes = readBase64url(cursor)
  const micros = bytes?.length === 25 && bytes[0] === version ? Number(bytes.readBigInt64BE(17)) : -1
  if (bytes === null || micros < 0 || micros > Number.MAX_SAFE_INTEGER)
    throw badInput(path, 'is not a cursor of conversations that wait.')
  return { key: formatUuid(bytes.subarray(1, 17)), since: fromMicroseconds(micros) }
}
