import type { Completion } from '../stream/message-stream.ts'
import { type MoreOfRequest, runTurn, type TurnOptions, type TurnResult, withTools } from '../stream/turn.ts'

/** `new OpenAI()`, or whatever speaks like its Responses API. */
export interface ResponsesClient {
  readonly responses: {
    create(body: ResponsesRequest, options: { signal: AbortSignal }): PromiseLike<AsyncIterable<ResponseEvent>>
  }
}

export interface ResponsesTurnOptions extends TurnOptions {
  readonly client: ResponsesClient
  /** As `reasoning`. Nothing is stored at the provider unless it says `store: true`. */
  readonly request?: MoreOfRequest
}

/** An agent's turn by the Responses API; see `runTurn`. */
export function runResponsesTurn(options: ResponsesTurnOptions): Promise<TurnResult> {
  const { client, model } = options
  const more = withTools(options, 'OPENAI_RESPONSES', (name, { description, parameters }) => ({
    type: 'function',
    name,
    description,
    parameters,
    strict: false,
  }))
  return runTurn(options, {
    format: 'OPENAI_RESPONSES',
    ask: async ({ window, signal, write }) => {
      const body = {
        store: false,
        // So that its reasoning can be given back to it.
        include: ['reasoning.encrypted_content'],
        ...more,
        model,
        input: window.messages,
        stream: true,
      } as unknown as ResponsesRequest
      return readResponse(await client.responses.create(body, { signal }), write)
    },
  })
}

// The SDK's own type of a request is a subtype of this: its client is taken as it is, and none of it is imported.
interface ResponsesRequest {
  readonly stream: true
}

interface ResponseEvent {
  readonly type: string
}

interface FinalResponse {
  readonly model: string
  readonly status?: string
  readonly output: readonly { readonly type: string }[]
  readonly usage?: object | null
  readonly incomplete_details?: { readonly reason?: string } | null
  readonly error?: { readonly code?: string; readonly message?: string } | null
}

async function readResponse(
  events: AsyncIterable<ResponseEvent>,
  write: (text: string) => Promise<void>,
): Promise<Completion> {
  let response: FinalResponse | null = null
  for await (const event of events) {
    if (event.type === 'response.output_text.delta') await write((event as unknown as { delta: string }).delta)
    if (ends.includes(event.type)) response = (event as unknown as { response: FinalResponse }).response
  }
  if (response === null) throw new Error('The answer ended before it was complete.')
  if (response.status === 'failed') throw new Error(response.error?.message ?? 'The model failed.')
  const { model, output, usage, status, incomplete_details: incomplete } = response
  const toolCalls = output.filter(isCall).map(({ call_id: callId, name, arguments: text }) => ({
    callId,
    name,
    arguments: text,
  }))
  const finishReason = incomplete?.reason ?? status
  return {
    model,
    ...(output.length === 0 ? { content: '' } : { parts: output, partsFormat: 'OPENAI_RESPONSES' }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(usage ? { usage: { ...usage } } : {}),
  }
}

const ends = ['response.completed', 'response.incomplete', 'response.failed']

interface FunctionCall {
  readonly type: 'function_call'
  readonly call_id: string
  readonly name: string
  readonly arguments: string
}

function isCall(item: { readonly type: string }): item is FunctionCall {
  return item.type === 'function_call'
}
