import { Field, InputType } from 'type-graphql'
import { contractLimits, type Limits } from '../../config.ts'
import { JsonObject, type JsonRecord } from '../../entities/json.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { ListFilter } from '../../storage/list/conversation-list.ts'
import { isGiven } from '../input/is-given.ts'
import { requireMetadata } from '../input/json-rules.ts'
import { requireLength, requireStorable } from '../input/text-rules.ts'

@InputType({
  description:
    "Which conversations a list shows: those that fulfil all conditions given here. null is the same as absent. If few conversations fulfil `metadata`, the server looks at all of the viewer's conversations.",
})
export class ConversationFilter {
  @Field(() => JsonObject, {
    nullable: true,
    description:
      'The metadata of the conversation contains this object: every key of it, with an equal value, or with an object or a list that contains the one given here. At most 16 KiB as JSON.',
  })
  metadata?: JsonRecord | null

  @Field(() => Boolean, {
    nullable: true,
    description: 'true: only archived conversations; false: only conversations that are not archived.',
  })
  archived?: boolean | null

  @Field(() => Timestamp, {
    nullable: true,
    description:
      'The `updatedAt` of the conversation is after this time. So this does not find a conversation that an import brought with older times; `conversationsChanged` tells it.',
  })
  updatedAfter?: string | null

  @Field(() => String, {
    nullable: true,
    description:
      "The title contains this text; case and accents do not matter. At most 1000 characters. If few titles contain it, the server looks at all of the viewer's conversations.",
  })
  title?: string | null
}

/** The conditions of a list; null: all conversations. @throws ApiError PAYLOAD_TOO_LARGE, BAD_USER_INPUT */
export function readFilter(filter: ConversationFilter | null | undefined, limits: Limits): ListFilter | null {
  const { metadata, archived, updatedAfter, title } = filter ?? {}
  if (isGiven(metadata)) requireMetadata('filter.metadata', metadata, limits)
  if (isGiven(title)) {
    requireStorable('filter.title', title)
    requireLength('filter.title', title, contractLimits.title)
  }
  if (!isGiven(metadata) && !isGiven(archived) && !isGiven(updatedAfter) && !isGiven(title)) return null
  return {
    metadata: metadata ?? null,
    archived: archived ?? null,
    updatedAfter: updatedAfter ?? null,
    title: title ?? null,
  }
}
