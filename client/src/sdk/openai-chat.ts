import type { ToolCallInput } from '../schema/types.ts'
import type { Completion } from '../stream/message-stream.ts'
import { type MoreOfRequest, runTurn, type TurnOptions, type TurnResult, withTools } from '../stream/turn.ts'
import { ChatReasoning, type ReasoningDelta } from './chat-reasoning.ts'

/** `new OpenAI()`, or whatever speaks like its chat completions. */
export interface ChatClient {
  readonly chat: {
    readonly completions: {
      create(body: ChatRequest, options: { signal: AbortSignal }): PromiseLike<AsyncIterable<ChatChunk>>
    }
  }
}

export interface ChatTurnOptions extends TurnOptions {
  readonly client: ChatClient
  /** As `temperature`. */
  readonly request?: MoreOfRequest
}

/** An agent's turn by chat completions; see `runTurn`. */
export function runChatTurn(options: ChatTurnOptions): Promise<TurnResult> {
  const { client, model } = options
  const more = withTools(options, 'OPENAI_CHAT', (name, { description, parameters }) => ({
    type: 'function',
    function: { name, description, parameters },
  }))
  return runTurn(options, {
    format: 'OPENAI_CHAT',
    ask: async ({ window, signal, write }) => {
      const body = {
        stream_options: { include_usage: true },
        ...more,
        model,
        messages: window.messages,
        stream: true,
      } as unknown as ChatRequest
      return readChat(await client.chat.completions.create(body, { signal }), write)
    },
  })
}

// The SDK's own type of a request is a subtype of this: its client is taken as it is, and none of it is imported.
interface ChatRequest {
  readonly stream: true
}

interface ChatChunk {
  readonly model?: string
  readonly choices: readonly {
    readonly delta: ChatDelta
    readonly finish_reason?: string | null
  }[]
  readonly usage?: object | null
}

interface ChatDelta extends ReasoningDelta {
  readonly content?: string | null
  readonly refusal?: string | null
  readonly tool_calls?: readonly {
    readonly index: number
    readonly id?: string
    readonly type?: string
    readonly function?: { readonly name?: string; readonly arguments?: string }
  }[]
}

interface GrowingCall {
  callId: string
  name: string
  arguments: string
  extra: Record<string, unknown>
}

async function readChat(chunks: AsyncIterable<ChatChunk>, write: (text: string) => Promise<void>): Promise<Completion> {
  let [text, refusal] = ['', '']
  const calls: GrowingCall[] = []
  const reasoning = new ChatReasoning()
  const end: { model?: string; finishReason?: string; usage?: Record<string, unknown> } = {}
  for await (const { model, choices, usage } of chunks) {
    if (model) end.model = model
    if (usage) end.usage = { ...usage }
    const [choice] = choices
    if (choice === undefined) continue
    if (choice.finish_reason) end.finishReason = choice.finish_reason
    const { content, refusal: refused, tool_calls: parts = [] } = choice.delta
    if (content) await write(content)
    text += content ?? ''
    refusal += refused ?? ''
    for (const part of parts) grow(calls, part)
    reasoning.add(choice.delta)
  }
  if (end.finishReason === undefined) throw new Error('The answer ended before it was complete.')
  const toolCalls = calls.map(({ callId, extra, ...call }): ToolCallInput => {
    const given = { ...call, callId: callId || `call_${crypto.randomUUID()}` }
    return Object.keys(extra).length === 0 ? given : { ...given, extra }
  })
  const said = text === '' ? [] : [{ type: 'text', text }]
  const beside = refusal === '' ? reasoning.parts : [...reasoning.parts, ...said, { type: 'refusal', refusal }]
  return {
    ...end,
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(beside.length === 0 ? {} : { parts: beside, partsFormat: 'OPENAI_CHAT' }),
    // A message that says nothing at all is none that could be stored without it.
    ...(text === '' && beside.length === 0 && toolCalls.length === 0 ? { content: '' } : {}),
  }
}

/** Calls come in pieces; what else they hold, as a signature, goes back to the provider. */
function grow(calls: GrowingCall[], part: NonNullable<ChatDelta['tool_calls']>[number]): void {
  const { index, id, type, function: called, ...extra } = part
  calls[index] ??= { callId: '', name: '', arguments: '', extra: {} }
  const call = calls[index]
  call.callId ||= id ?? ''
  call.name += called?.name ?? ''
  call.arguments += called?.arguments ?? ''
  Object.assign(call.extra, extra)
}
