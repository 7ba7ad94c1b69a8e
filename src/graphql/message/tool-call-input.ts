import { Field, InputType } from 'type-graphql'
import { JsonObject, type JsonRecord } from '../../entities/json.ts'

@InputType({ description: 'A tool call that an assistant asks for.' })
export class ToolCallInput {
  @Field(() => String, { description: "The provider's id of the call, at most 255 characters." })
  callId!: string

  @Field(() => String, { description: 'The name of the tool, at most 255 characters.' })
  name!: string

  @Field(() => String, { description: 'The arguments exactly as the model wrote them. They are kept byte for byte.' })
  arguments!: string

  @Field(() => String, { nullable: true, description: 'The kind of call; `function` unless given.' })
  type?: string | null

  @Field(() => JsonObject, { nullable: true, description: "All other fields of the provider's call." })
  extra?: JsonRecord | null
}
