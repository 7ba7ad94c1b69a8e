import { Field, ObjectType } from 'type-graphql'
import { JsonObject, type JsonRecord } from './json.ts'

@ObjectType({ description: 'A call of a tool that an assistant asks for.', simpleResolvers: true })
export class ToolCall {
  @Field(() => String, {
    description: "The provider's id of the call; the TOOL message that answers it carries the same as `toolCallId`.",
  })
  callId!: string

  @Field(() => String, { description: 'The name of the tool.' })
  name!: string

  @Field(() => String, {
    description: 'The arguments exactly as the model wrote them: usually JSON, but kept byte for byte as text.',
  })
  arguments!: string

  @Field(() => String, { description: 'The kind of call, `function` unless given.' })
  type!: string

  @Field(() => JsonObject, { nullable: true, description: "Whatever else the provider's call holds." })
  extra!: JsonRecord | null
}
