import { Field, Float, ObjectType } from 'type-graphql'
import { JsonObject, type JsonRecord } from '../../entities/json.ts'
import type { Figure } from '../../observe/server-self.ts'

@ObjectType({ description: 'A number that a server counts.', simpleResolvers: true })
export class ServerFigure implements Figure {
  @Field(() => String, { description: 'Its name, as that of the metric for Prometheus.' })
  name!: string

  @Field(() => JsonObject, { description: 'What tells it from others of the same name.' })
  labels!: JsonRecord

  @Field(() => Float, { description: 'The number. What ends in `_total`, `_count`, `_sum` or `_bucket` only grows.' })
  value!: number
}
