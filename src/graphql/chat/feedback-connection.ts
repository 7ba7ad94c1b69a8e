import { Field, ObjectType } from 'type-graphql'
import { GetterField } from '../../entities/getter-field.ts'
import { packPlace, unpackPlace } from '../../entities/ids/place.ts'
import { FeedbackRating } from '../../entities/message/message-feedback.ts'
import { fromMicroseconds, Timestamp, toMicroseconds } from '../../entities/timestamp.ts'
import { badInput } from '../../errors.ts'
import type { Feedback } from '../../storage/chat/feedback.ts'
import type { FeedbackPlace } from '../../storage/chat/feedback-page.ts'
import { isStorable } from '../input/text-rules.ts'
import { PageInfo } from '../page/connection.ts'

@ObjectType({ description: 'What a user says of a message that an assistant wrote.', simpleResolvers: true })
export class MessageFeedback {
  @Field(() => String, { description: 'Who gave it.' })
  userId!: string

  @Field(() => FeedbackRating, { description: 'What the user thinks.' })
  rating!: FeedbackRating

  @Field(() => String, { nullable: true, description: 'Why, in a word for programs.' })
  reason!: string | null

  @Field(() => String, { nullable: true, description: 'Why, in words for people.' })
  comment!: string | null

  @Field(() => Timestamp, { description: 'When the user last gave it.' })
  givenAt!: string
}

@ObjectType({ description: 'Feedback and its cursor.', simpleResolvers: true })
export class FeedbackEdge {
  @Field(() => String, { description: 'The place of the feedback.' })
  cursor!: string

  @Field(() => MessageFeedback, { description: 'The feedback.' })
  node!: Feedback
}

@ObjectType({ description: 'A page of feedback, the newest first.', simpleResolvers: true })
export class FeedbackConnection {
  @Field(() => [MessageFeedback], { description: 'The feedback alone.' })
  nodes: readonly Feedback[]

  @Field(() => PageInfo, { description: 'What lies before and after this page.' })
  pageInfo: PageInfo

  constructor(nodes: readonly Feedback[], ends: { readonly hasNext: boolean; readonly hasPrevious: boolean }) {
    this.nodes = nodes
    this.pageInfo = new PageInfo(ends, (index) => {
      const feedback = nodes.at(index)
      return feedback === undefined ? null : feedbackCursor(feedback)
    })
  }

  @GetterField(() => [FeedbackEdge], { description: 'The feedback with its cursors.' })
  get edges(): FeedbackEdge[] {
    return this.nodes.map((node) => ({ cursor: feedbackCursor(node), node }))
  }
}

/** The cursor: (place, microseconds since 1970 in 8 bytes, user id) in base64url. */
function feedbackCursor({ conversation: { key, epoch }, seq, givenAt, userId }: Feedback): string {
  const user = Buffer.from(userId)
  const bytes = packPlace({ key, epoch, seq }, 8 + user.length)
  const at = bytes.length - 8 - user.length
  bytes.writeBigInt64BE(BigInt(toMicroseconds(givenAt)), at)
  user.copy(bytes, at + 8)
  return bytes.toString('base64url')
}

/** @throws ApiError BAD_USER_INPUT */
export function readFeedbackCursor(path: string, cursor: string): FeedbackPlace {
  const read = unpackPlace(cursor)
  const user = read?.rest.subarray(8)
  const micros = read !== null && read.rest.length > 8 ? Number(read.rest.readBigInt64BE()) : -1
  if (read === null || user === undefined || micros < 0 || micros > Number.MAX_SAFE_INTEGER || !isText(user))
    throw badInput(path, 'is not a cursor of feedback.')
  return { key: read.place.key, seq: read.place.seq, userId: user.toString(), givenAt: fromMicroseconds(micros) }
}

/** Whether the bytes are a text that can have been stored. */
function isText(bytes: Buffer): boolean {
  const text = bytes.toString()
  return isStorable(text) && Buffer.from(text).equals(bytes)
}
