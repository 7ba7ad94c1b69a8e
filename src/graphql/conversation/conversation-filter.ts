import { Field, InputType } from 'type-graphql'
import type { Limits } from '../../config.ts'
import { JsonObject, type JsonRecord } from '../../entities/json.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { ListFilter } from '../../storage/list/conversation-list.ts'
import { isGiven } from '../input/is-given.ts'
import { requireMetadata } from '../input/json-rules.ts'

@InputType({
  description:
    "Which conversations of a list: those that fulfil all that is given. null is the same as absent. Metadata that only few of them have takes a look at all of the viewer's conversations.",
})
export class ConversationFilter {
  @Field(() => JsonObject, {
    nullable: true,
    description:
      'Those whose metadata contains this: every key of it, with an equal value, or with an object or a list that contains the one given here. At most 16 KiB as JSON.',
  })
  metadata?: JsonRecord | null

  @Field(() => Boolean, { nullable: true, description: 'true: only archived ones; false: only those that are not.' })
  archived?: boolean | null

  @Field(() => Timestamp, { nullable: true, description: 'Those that changed after this time.' })
  updatedAfter?: string | null
}

/** null: all conversations. @throws ApiError PAYLOAD_TOO_LARGE */
export function readFilter(filter: ConversationFilter | null | undefined, limits: Limits): ListFilter | null {
  const { metadata, archived, updatedAfter } = filter ?? {}
  if (isGiven(metadata)) requireMetadata('filter.metadata', metadata, limits)
  if (!isGiven(metadata) && !isGiven(archived) && !isGiven(updatedAfter)) return null
  return { metadata: metadata ?? null, archived: archived ?? null, updatedAfter: updatedAfter ?? null }
}
