import { Field, ObjectType } from 'type-graphql'
import { JsonObject, type JsonRecord } from '../json.ts'

@ObjectType({ description: 'A tool call that an assistant asks for.', simpleResolvers: true })
export class ToolCall {
  @Field(() => String, {
    description:
      "The provider's id of the call. The TOOL message that answers the call has the same id as its `toolCallId`.",
  })
  callId!: string

  @Field(() => String, { description: 'The name of the tool.' })
  name!: string

  @Field(() => String, {
    description:
      'The arguments exactly as the model wrote them. They are usually JSON, but are kept as text, byte for byte.',
  })
  arguments!: string

  @Field(() => String, { description: 'The kind of call; `function` when the caller gave none.' })
  type!: string

  @Field(() => JsonObject, { nullable: true, description: "All other fields of the provider's call." })
  extra!: JsonRecord | null
}
