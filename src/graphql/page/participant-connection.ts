import { Field, Int, ObjectType } from 'type-graphql'
import { GetterField } from '../../entities/getter-field.ts'
import { readBase64url } from '../../entities/ids/bytes.ts'
import { ParticipantRole } from '../../entities/participant.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import { badInput } from '../../errors.ts'
import type { ParticipantPage, TakingPart } from '../../storage/participant/participant-page.ts'
import { isStorable } from '../input/text-rules.ts'
import { PageInfo } from './connection.ts'

@ObjectType({ description: 'A user who takes part in a conversation.', simpleResolvers: true })
export class Participant implements TakingPart {
  @Field(() => String, { description: 'The user.' })
  userId!: string

  @Field(() => ParticipantRole, { description: 'What the user may do.' })
  role!: ParticipantRole

  @Field(() => Timestamp, {
    description: 'Since when the user takes part; of the owner: when the conversation was created.',
  })
  joinedAt!: string

  @Field(() => Int, {
    nullable: true,
    description: 'The `seq` of the first message that the user reads; null: the user reads all messages.',
  })
  historyFrom!: number | null
}

@ObjectType({ description: 'A participant and its cursor.', simpleResolvers: true })
export class ParticipantEdge {
  @Field(() => String, { description: 'The place of the participant.' })
  cursor!: string

  @Field(() => Participant, { description: 'The participant.' })
  node!: Participant
}

@ObjectType({ description: 'A page of participants, by user id.', simpleResolvers: true })
export class ParticipantConnection {
  readonly #page: ParticipantPage

  constructor(page: ParticipantPage) {
    this.#page = page
  }

  @GetterField(() => [ParticipantEdge], { description: 'The participants with their cursors.' })
  get edges(): ParticipantEdge[] {
    return this.nodes.map((node) => ({ cursor: cursorOf(node), node }))
  }

  @GetterField(() => [Participant], { description: 'The participants alone.' })
  get nodes(): Participant[] {
    return [...this.#page.participants]
  }

  @GetterField(() => PageInfo, { description: 'What lies before and after this page.' })
  get pageInfo(): PageInfo {
    const { participants } = this.#page
    return new PageInfo(this.#page, (index) => {
      const participant = participants.at(index)
      return participant === undefined ? null : cursorOf(participant)
    })
  }
}

const version = 1

function cursorOf({ userId }: TakingPart): string {
  return Buffer.concat([Buffer.of(version), Buffer.from(userId)]).toString('base64url')
}

/** The user id of a cursor. @throws ApiError BAD_USER_INPUT */
export function readParticipantCursor(path: string, cursor: string): string {
  const bytes = readBase64url(cursor)
  const userId = bytes?.subarray(1).toString() ?? ''
  if (bytes?.[0] !== version || userId === '' || !isStorable(userId))
    throw badInput(path, 'is not a cursor of participants.')
  return userId
}
