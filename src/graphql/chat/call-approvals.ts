import { Arg, Ctx, Field, FieldResolver, ID, InputType, Mutation, ObjectType, Resolver, Root } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { messageOf } from '../../entities/message/call-of-message.ts'
import { Message } from '../../entities/message/message.ts'
import { ToolCall } from '../../entities/message/tool-call.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import { answerCall, type CallApproval } from '../../storage/chat/call-approvals.ts'
import { refOf } from '../../storage/message/edit.ts'
import type { Context } from '../context.ts'
import { readMessageId } from '../input/message-id.ts'
import { requireShort } from '../input/text-rules.ts'

@InputType({ description: 'What `answerCall` takes.' })
export class AnswerCallInput {
  @Field(() => ID, { description: 'The message with the call.' })
  messageId!: string

  @Field(() => String, { description: 'The `callId` of the call.' })
  callId!: string

  @Field(() => Boolean, { description: 'Whether the call may run; false refuses it.' })
  approved!: boolean

  @Field(() => String, {
    nullable: true,
    description: `Why; a model reads the reason of a refusal. At most ${contractLimits.approvalReasonBytes} bytes.`,
  })
  reason?: string | null
}

@ObjectType({ description: 'What `answerCall` answers, after the change is durable.', simpleResolvers: true })
export class AnswerCallPayload {
  @Field(() => Message, { description: 'The message as it is now.' })
  message!: Message
}

@ObjectType({ description: 'What a person answered to a tool call.', simpleResolvers: true })
export class ToolCallApproval implements CallApproval {
  @Field(() => Boolean, { description: 'Whether the call may run; false: it was refused.' })
  approved!: boolean

  @Field(() => String, { nullable: true, description: 'Why.' })
  reason!: string | null

  @Field(() => String, { description: 'The user who answered.' })
  userId!: string

  @Field(() => Timestamp, { description: 'When the user answered.' })
  answeredAt!: string
}

@Resolver(() => ToolCall)
export class CallApprovalsResolver {
  @FieldResolver(() => ToolCallApproval, {
    nullable: true,
    description: 'What a person answered to this call with `answerCall`; null if nobody has.',
  })
  async approval(@Root() call: ToolCall, @Ctx() { loaders }: Context): Promise<CallApproval | null> {
    const message = messageOf(call)
    return message === null ? null : ((await loaders.approvals.load(message)).get(call.callId) ?? null)
  }

  @Mutation(() => AnswerCallPayload, {
    nullable: true,
    description:
      'Approves or refuses a tool call of a message, once: the first answer stays. The same answer of the same user again changes nothing; another one is a CONFLICT, and so is any when the call has its result or its message is still streaming. Watchers get `MessageUpdated`.',
  })
  async answerCall(
    @Arg('input', () => AnswerCallInput, { description: 'The call and the answer.' }) input: AnswerCallInput,
    @Ctx() context: Context,
  ): Promise<AnswerCallPayload> {
    const { messageId, callId, approved, reason = null } = input
    requireShort('input.reason', reason, contractLimits.approvalReasonBytes)
    const ref = refOf(context.viewer.userId, readMessageId(messageId))
    return { message: await answerCall(context.services.store, ref, callId, { approved, reason }) }
  }
}
