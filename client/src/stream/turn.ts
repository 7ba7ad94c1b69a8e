import type { Connection, ConnectionOptions } from '../connection/connection.ts'
import { type Ask, RequestError, withConnection } from '../connection/request.ts'
import { type ContextLimits, type ContextWindow, pickLimits } from '../message/context-window.ts'
import { isRecord } from '../message/json.ts'
import { inBatches } from '../message/message-batch.ts'
import { toolName } from '../message/tool-name.ts'
import { messageSelection } from '../schema/selections.ts'
import type {
  ContextFormat,
  Message,
  MessageError,
  MessageInput,
  StartMessageInput,
  ToolCall,
  ToolCallApproval,
} from '../schema/types.ts'
import type { Completion, MessageStream } from './message-stream.ts'
import { withoutRefusedResult } from './refused-result.ts'
import { StreamError } from './stream-error.ts'
import { streamMessageOn } from './stream-message.ts'

export interface TurnOptions extends ConnectionOptions, ContextLimits {
  readonly conversationId: string
  readonly ifMissing?: StartMessageInput['ifMissing']
  /** What the user says; absent: it is stored already. */
  readonly userMessage?: string | Omit<MessageInput, 'role'>
  /** What the turn continues, in order to branch, as `MessageInput.parentId` says; absent: the active leaf. */
  readonly parentId?: string
  /** The provider's name of the model. */
  readonly model: string
  readonly tools?: Readonly<Record<string, Tool>>
  /**
   * Yours, the same when you call again after a crash: what is stored by then is not asked of the model again. Absent: one
   * is drawn.
   */
  readonly turnId?: string
  /** How often the model is asked at most; 20. */
  readonly maxSteps?: number
  /** How long the server waits for a sign of life before it fails a message; 30. One comes every third of it. */
  readonly timeoutSeconds?: number
  /** Cancels the turn, as a stop request for its message does. */
  readonly signal?: AbortSignal
}

export interface Tool {
  readonly description?: string
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Whether a person has to approve each call by `answerCall` before it runs. */
  readonly needsApproval?: boolean
  /**
   * Its result: a text as it is, anything else as JSON. What it throws is told to the model. It may run again with the same
   * call after a crash.
   */
  execute(args: never, call: { readonly callId: string; readonly signal: AbortSignal }): unknown
}

/**
 * How a turn ended; `STEPS`: the model would have gone on; `APPROVAL`: calls wait for people, and the same turn goes on when
 * it is run again after they have answered.
 */
export type TurnOutcome = 'COMPLETE' | 'CANCELLED' | 'STEPS' | 'APPROVAL'

export interface TurnResult {
  readonly outcome: TurnOutcome
  /** Of the last message. */
  readonly text: string | null
  readonly messageId: string
  readonly finishReason: string | null
  /** What of the last message could not be stored beside its text; null: nothing. */
  readonly error: MessageError | null
  /** How often the model was asked. */
  readonly steps: number
}

/** One way to ask a model. */
export interface Provider {
  readonly format: ContextFormat
  /** Why an answer ends that the provider wants to go on with. */
  readonly pause?: string
  /** @param write takes the text as it comes. @returns how the message ends */
  ask(request: {
    readonly window: ContextWindow
    readonly signal: AbortSignal
    readonly write: (text: string) => Promise<void>
  }): Promise<Completion>
}

/**
 * An agent's turn: what the user says and the start of the answer are stored together, and answered with the window that
 * the model is to read; the answer is streamed, its tools run, and their results are stored with the start of the next
 * answer, until the model asks for no more.
 *
 * @throws StreamError, RequestError, and what the provider's client throws: the message is FAILED then
 */
export async function runTurn(options: TurnOptions, provider: Provider): Promise<TurnResult> {
  const { signal, turnId = crypto.randomUUID(), ...line } = options
  signal?.throwIfAborted()
  // What a turn has done is stored also when it is cancelled: its signal does not end the connection.
  return withConnection(line, (ask, connection) => takeSteps({ options, provider, turnId, ask, connection }))
}

/** A turn, and the one connection on which all of it goes. */
interface Turn {
  readonly options: TurnOptions
  readonly provider: Provider
  readonly turnId: string
  readonly ask: Ask
  readonly connection: Connection
}

async function takeSteps(turn: Turn): Promise<TurnResult> {
  const { options, provider, turnId } = turn
  const { userMessage, parentId, maxSteps = 20, signal } = options
  const question = userMessage === undefined ? undefined : asUser(userMessage, `${turnId}/user`)
  let begin: Beginning = question === undefined ? { parentId } : { messages: [{ parentId, ...question }] }
  for (let step = 0; ; step++) {
    const { message, isReplay } = await takeStep(turn, `${turnId}/${step}`, begin)
    const { id: messageId, content: text, finishReason, error } = message
    const end = (outcome: TurnOutcome) => ({ outcome, text, messageId, finishReason, error, steps: step + 1 })
    if (message.status === 'CANCELLED') return end('CANCELLED')
    const isPaused = finishReason !== null && finishReason === provider.pause
    if (message.toolCalls.length === 0 && !isPaused) return end('COMPLETE')
    const resultId = (index: number) => `${turnId}/${step}/${index}`
    const isDone = isReplay && (await readOne(turn, resultId(0))) !== null
    const approvals = isDone ? none : await readApprovals(turn, message)
    if (approvals === null) return end('APPROVAL')
    const results = isDone ? [] : await runTools(options, message.toolCalls, approvals, resultId)
    const isLast = step + 1 >= maxSteps
    const isApart = isLast || signal?.aborted || inBatches(results).length > 1
    if (isApart) for (const batch of inBatches(results)) await append(turn, batch)
    begin = isApart ? {} : { messages: results }
    if (signal?.aborted) return end('CANCELLED')
    if (isLast) return end('STEPS')
  }
}

/** Fields of the provider's own request. */
export interface MoreOfRequest {
  /** That the provider runs itself: they come after the others. */
  readonly tools?: readonly object[]
  readonly [field: string]: unknown
}

/**
 * A request with the tools that are described to the model, and those that it names itself. The model reads each name as
 * its provider takes it, as the window has it; a `tool_choice` of the caller has the caller's own names.
 *
 * @param describe a tool in the provider's own form
 */
export function withTools(
  { tools = {}, request }: Pick<TurnOptions, 'tools'> & { readonly request?: MoreOfRequest },
  format: ContextFormat,
  describe: (name: string, tool: Tool) => object,
): MoreOfRequest {
  const described = Object.entries(tools).map(([name, tool]) => describe(toolName(name, format), tool))
  const all = [...described, ...(request?.tools ?? [])]
  const choose = (key: string, value: unknown) =>
    key === 'name' && typeof value === 'string' && Object.hasOwn(tools, value) ? toolName(value, format) : value
  const choice = request?.tool_choice
  return {
    ...request,
    ...(choice === undefined ? {} : { tool_choice: JSON.parse(JSON.stringify(choice, choose)) }),
    ...(all.length === 0 ? {} : { tools: all }),
  }
}

/** What is stored with the start of an answer. */
type Beginning = Pick<StartMessageInput, 'messages' | 'parentId'>

interface Step {
  readonly message: Message
  /** Whether an earlier run of this turn has made it. */
  readonly isReplay: boolean
}

/** Of one that has failed in an earlier run, another attempt is made, as another message. */
async function takeStep(turn: Turn, stepId: string, begin: Beginning): Promise<Step> {
  for (let attempt = 0; ; attempt++) {
    const clientId = attempt === 0 ? stepId : `${stepId}.${attempt}`
    const made = await answer(turn, clientId, begin)
    if (made !== null) return { message: made, isReplay: false }
    const message = await readOne(turn, clientId)
    if (message !== null && message.status !== 'FAILED') return { message, isReplay: true }
  }
}

/** The next message; null when an earlier run has ended it. */
async function answer(turn: Turn, clientId: string, begin: Beginning): Promise<Message | null> {
  const { options, provider, connection } = turn
  const { timeoutSeconds = 30, signal, ...more } = options
  const leave = new AbortController()
  const stream = streamMessageOn(connection, {
    ...more,
    // Later answers continue what the turn has stored by then.
    parentId: undefined,
    ...begin,
    clientId,
    timeoutSeconds,
    context: { ...pickLimits(options), format: provider.format },
    signal: leave.signal,
  })
  const cancel = () => (stream.message === null ? leave.abort(signal?.reason) : undefined)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    await stream.started
    return await write(stream, provider, options)
  } catch (error) {
    if (stream.message !== null || !(error instanceof StreamError)) throw error
    if (error.reason === 'NOT_STREAMING') return null
    const messages = withoutRefusedResult(begin.messages ?? [], error)
    if (messages === null) throw error
    return answer(turn, clientId, { ...begin, messages })
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

/** The message is ended when this is, unless it was lost to somebody else. */
async function write(stream: MessageStream, provider: Provider, { tools = {}, signal }: TurnOptions): Promise<Message> {
  const stop = signal === undefined ? stream.stopSignal : AbortSignal.any([stream.stopSignal, signal])
  try {
    const window = await stream.context
    const completion = await provider.ask({
      window,
      signal: stop,
      write: async (text) => {
        stream.write(text)
        await stream.drained()
      },
    })
    // Some clients end quietly when they are aborted, in the middle of what they had.
    if (!stop.aborted) {
      const named = withOwnNames(completion, Object.keys(tools), provider.format)
      return await stream.complete(withWaiting(named, tools))
    }
  } catch (error) {
    if (!stop.aborted || error instanceof StreamError) {
      await fail(stream, error)
      throw error
    }
  }
  return stream.complete({ status: 'CANCELLED' })
}

/** What the model calls, under the caller's own names: so it is stored, and so the tool is found. */
function withOwnNames(completion: Completion, names: readonly string[], format: ContextFormat): Completion {
  const { parts, toolCalls } = completion
  const own = new Map(names.map((name) => [toolName(name, format), name]))
  const ownPart = (part: unknown) =>
    isRecord(part) && calls.has(part.type) ? { ...part, name: own.get(String(part.name)) ?? part.name } : part
  return {
    ...completion,
    ...(parts ? { parts: parts.map(ownPart) } : {}),
    ...(toolCalls ? { toolCalls: toolCalls.map((call) => ({ ...call, name: own.get(call.name) ?? call.name })) } : {}),
  }
}

/** The types of parts that are calls of the caller's tools, in the dialects of the providers. */
const calls: ReadonlySet<unknown> = new Set(['function_call', 'custom_tool_call', 'tool_use'])

/** Says in the metadata which calls wait for people, so that those who show the message can ask them. */
function withWaiting(completion: Completion, tools: NonNullable<TurnOptions['tools']>): Completion {
  const needsApproval = waiting(completion.toolCalls ?? [], tools).map(({ callId }) => callId)
  return needsApproval.length === 0 ? completion : { ...completion, metadata: { needsApproval } }
}

function waiting<Call extends Pick<ToolCall, 'name'>>(
  calls: readonly Call[],
  tools: NonNullable<TurnOptions['tools']>,
): Call[] {
  return calls.filter(({ name }) => Object.hasOwn(tools, name) && tools[name]?.needsApproval === true)
}

async function fail(stream: MessageStream, error: unknown): Promise<void> {
  const { code, reason } = error instanceof StreamError ? error : { code: 'MODEL_FAILED', reason: null }
  try {
    await stream.fail({ code: reason ?? code, message: messageOf(error) })
  } catch {
    // It is over already: what ended it is what the caller is told.
  }
}

/** What people answered, by the call. */
type Approvals = ReadonlyMap<string, Pick<ToolCallApproval, 'approved' | 'reason'>>

const none: Approvals = new Map()

/** null: they have not answered all the calls that need it. */
async function readApprovals({ ask, options }: Turn, message: Message): Promise<Approvals | null> {
  const asked = waiting(message.toolCalls, options.tools ?? {})
  if (asked.length === 0) return none
  const query = `query ($id: ID!, $seq: Int!) { conversation(id: $id) {
    message(seq: $seq) { id toolCalls { callId approval { approved reason } } }
  } }`
  const data = await ask(query, { id: options.conversationId, seq: message.seq })
  const { conversation } = data as { conversation: { message: { toolCalls: readonly Answered[] } | null } | null }
  const answered = (conversation?.message?.toolCalls ?? []).flatMap(({ callId, approval }) =>
    approval === null ? [] : [[callId, approval] as const],
  )
  const approvals = new Map(answered)
  return asked.every(({ callId }) => approvals.has(callId)) ? approvals : null
}

interface Answered extends Pick<ToolCall, 'callId'> {
  readonly approval: Pick<ToolCallApproval, 'approved' | 'reason'> | null
}

/** As a window of the server says it that has no result of the call. */
function refusal(reason: string | null): string {
  return reason === null ? 'A person refused this call.' : `A person refused this call: ${reason}`
}

async function runTools(
  { tools = {}, signal = new AbortController().signal }: TurnOptions,
  calls: readonly ToolCall[],
  approvals: Approvals,
  clientId: (index: number) => string,
): Promise<MessageInput[]> {
  return Promise.all(
    calls.map(async ({ callId, name, arguments: text }, index): Promise<MessageInput> => {
      const result = { role: 'TOOL', toolCallId: callId, toolName: name, clientId: clientId(index) } as const
      const approval = approvals.get(callId)
      if (approval?.approved === false) return { ...result, toolError: true, content: refusal(approval.reason) }
      try {
        const tool = Object.hasOwn(tools, name) ? tools[name] : undefined
        if (tool === undefined) throw new Error(`There is no tool ${name}.`)
        const output: unknown = await tool.execute(readArguments(text) as never, { callId, signal })
        return { ...result, content: typeof output === 'string' ? output : (JSON.stringify(output) ?? '') }
      } catch (error) {
        return { ...result, toolError: true, content: messageOf(error) }
      }
    }),
  )
}

/** @throws Error that tells the model what was wrong */
function readArguments(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`The arguments are no JSON: ${messageOf(error)}`)
  }
}

const appendMessages = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) {
  conversation { lastSeq }
} }`

async function append(turn: Turn, batch: readonly MessageInput[]): Promise<void> {
  const { ask, options } = turn
  try {
    await ask(appendMessages, { input: { conversationId: options.conversationId, messages: batch } })
  } catch (error) {
    const less = error instanceof RequestError ? withoutRefusedResult(batch, error) : null
    if (less === null) throw error
    await append(turn, less)
  }
}

/** The message of a client id; null when there is none. */
async function readOne({ ask, options }: Turn, clientId: string): Promise<Message | null> {
  const query = `query ($id: ID!, $clientId: String!) { conversation(id: $id) {
    message(clientId: $clientId) { ${messageSelection} }
  } }`
  const data = await ask(query, { id: options.conversationId, clientId })
  return (data.conversation as { message: Message | null } | null)?.message ?? null
}

function asUser(message: string | Omit<MessageInput, 'role'>, clientId: string): MessageInput {
  return { clientId, ...(typeof message === 'string' ? { content: message } : message), role: 'USER' }
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}
