import { Field, ID, InputType } from 'type-graphql'
import { Json, JsonObject, type JsonRecord } from '../../entities/json.ts'
import { MessageRole, PartsFormat } from '../../entities/message-enums.ts'
import { Timestamp } from '../../entities/timestamp.ts'

@InputType({ description: 'A call of a tool that an assistant asks for.' })
export class ToolCallInput {
  @Field(() => String, { description: "The provider's id of the call, at most 255 characters." })
  callId!: string

  @Field(() => String, { description: 'The name of the tool, at most 255 characters.' })
  name!: string

  @Field(() => String, { description: 'The arguments exactly as the model wrote them; kept byte for byte.' })
  arguments!: string

  @Field(() => String, { nullable: true, description: 'The kind of call; `function` unless given.' })
  type?: string | null

  @Field(() => JsonObject, { nullable: true, description: "Whatever else the provider's call holds." })
  extra?: JsonRecord | null
}

@InputType({
  description:
    'A message to append. It has content, parts or tool calls. null is the same as absent; at most 1 MiB in all.',
})
export class MessageInput {
  @Field(() => MessageRole, { description: 'Who speaks.' })
  role!: MessageRole

  @Field(() => String, { nullable: true, description: 'The name of the speaker, at most 255 characters.' })
  name?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'Its text. Absent with `parts` of a known format: their text parts, joined.',
  })
  content?: string | null

  @Field(() => [Json], {
    nullable: true,
    description: 'Typed content in the dialect of `partsFormat`, at most `MAX_PARTS` parts.',
  })
  parts?: unknown[] | null

  @Field(() => PartsFormat, { nullable: true, description: 'The dialect of `parts`.' })
  partsFormat?: PartsFormat | null

  @Field(() => [ToolCallInput], {
    nullable: true,
    description: 'The tools that an assistant asks to be called, at most `MAX_TOOL_CALLS`.',
  })
  toolCalls?: ToolCallInput[] | null

  @Field(() => String, { nullable: true, description: 'Of a TOOL message: the name of the tool.' })
  toolName?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'Of a TOOL message, and required there: the call that it answers.',
  })
  toolCallId?: string | null

  @Field(() => Boolean, { nullable: true, description: 'Of a TOOL message: whether the tool failed.' })
  toolError?: boolean | null

  @Field(() => String, { nullable: true, description: 'The model that wrote it.' })
  model?: string | null

  @Field(() => String, { nullable: true, description: "The provider's reason for ending there." })
  finishReason?: string | null

  @Field(() => JsonObject, { nullable: true, description: "The provider's token counts." })
  usage?: JsonRecord | null

  @Field(() => JsonObject, { nullable: true, description: "The caller's own data about it, at most 16 KiB as JSON." })
  metadata?: JsonRecord | null

  @Field(() => String, {
    nullable: true,
    description:
      "The caller's own id for it, at most 255 characters: an append that is tried again with it happens once.",
  })
  clientId?: string | null

  @Field(() => Timestamp, { nullable: true, description: "The caller's own time for it; orders nothing." })
  sentAt?: string | null

  @Field(() => ID, {
    nullable: true,
    description:
      "The `id` of the message of this conversation that it continues, in order to branch: to edit a message, its `parentId`, or the conversation's own `id` where that is null; to answer anew, what is answered. Absent: the message before it in this call, or else the active leaf.",
  })
  parentId?: string | null
}
