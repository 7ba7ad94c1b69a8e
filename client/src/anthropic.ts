/** The package's entrance for Anthropic's SDK, `@colloquy/client/anthropic`; it takes the SDK's client, and nothing of its code. */
import type { Completion } from './stream/message-stream.ts'
import { type MoreOfRequest, runTurn, type TurnOptions, type TurnResult, withTools } from './stream/turn.ts'

export type { Tool, TurnOptions, TurnResult } from './stream/turn.ts'

/** `new Anthropic()`, or whatever speaks like its Messages API. */
export interface MessagesClient {
  readonly messages: {
    create(body: MessagesRequest, options: { signal: AbortSignal }): PromiseLike<AsyncIterable<MessagesEvent>>
  }
}

export interface MessagesTurnOptions extends TurnOptions {
  readonly client: MessagesClient
  /** As `thinking`; and of the answer's length the API wants to be told. */
  readonly request: MoreOfRequest & { readonly max_tokens: number }
}

/** An agent's turn by the Messages API; see `runTurn`. */
export function runMessagesTurn(options: MessagesTurnOptions): Promise<TurnResult> {
  const { client, model } = options
  const more = withTools(options, 'ANTHROPIC', (name, { description, parameters }) => ({
    name,
    description,
    input_schema: parameters,
  }))
  return runTurn(options, {
    format: 'ANTHROPIC',
    pause: 'pause_turn',
    ask: async ({ window, signal, write }) => {
      const body = {
        ...(window.system === null ? {} : { system: window.system }),
        ...more,
        model,
        messages: window.messages,
        stream: true,
      } as unknown as MessagesRequest
      return readMessage(await client.messages.create(body, { signal }), write)
    },
  })
}

// The SDK's own type of a request is a subtype of this: its client is taken as it is, and none of it is imported.
interface MessagesRequest {
  readonly stream: true
}

interface MessagesEvent {
  readonly type: string
}

type Block = Record<string, unknown> & { readonly type: string }

interface Growing {
  readonly block: Block
  /** The input of a call, as the model writes it. */
  json: string
}

/** What is looked at of an event, by its `type`. */
interface Seen {
  readonly type: string
  readonly index: number
  readonly message: { readonly model: string; readonly usage: Record<string, unknown> }
  readonly content_block: Block
  readonly delta: Record<string, unknown>
  readonly usage: Record<string, unknown>
}

async function readMessage(
  events: AsyncIterable<MessagesEvent>,
  write: (text: string) => Promise<void>,
): Promise<Completion> {
  const blocks: Growing[] = []
  const end: { model?: string; finishReason?: string; usage?: Record<string, unknown> } = {}
  let isWhole = false
  for await (const event of events as AsyncIterable<Seen>) {
    switch (event.type) {
      case 'message_start':
        Object.assign(end, { model: event.message.model, usage: event.message.usage })
        break
      case 'content_block_start':
        blocks[event.index] = { block: { ...event.content_block }, json: '' }
        if (event.content_block.type === 'text' && event.content_block.text)
          await write(String(event.content_block.text))
        break
      case 'content_block_delta': {
        const text = grow(blocks[event.index], event.delta)
        if (text !== '') await write(text)
        break
      }
      case 'message_delta':
        if (typeof event.delta.stop_reason === 'string') end.finishReason = event.delta.stop_reason
        end.usage = { ...end.usage, ...withoutNull(event.usage) }
        break
      case 'message_stop':
        isWhole = true
    }
  }
  if (!isWhole) throw new Error('The answer ended before it was complete.')
  const parts = blocks.map(finish)
  const toolCalls = blocks.flatMap(({ block, json }) =>
    block.type === 'tool_use'
      ? [{ callId: String(block.id), name: String(block.name), arguments: json || JSON.stringify(block.input ?? {}) }]
      : [],
  )
  return {
    ...end,
    ...(parts.length === 0 ? { content: '' } : { parts, partsFormat: 'ANTHROPIC' }),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
  }
}

/** @returns the text that it adds to the message */
function grow(growing: Growing | undefined, delta: Record<string, unknown>): string {
  if (growing === undefined) return ''
  const block: Record<string, unknown> = growing.block
  const add = (field: string) => {
    block[field] = String(block[field] ?? '') + String(delta[field] ?? '')
  }
  switch (delta.type) {
    case 'text_delta':
      add('text')
      return String(delta.text)
    case 'thinking_delta':
      add('thinking')
      return ''
    case 'signature_delta':
      add('signature')
      return ''
    case 'input_json_delta':
      growing.json += String(delta.partial_json)
      return ''
    case 'citations_delta':
      block.citations = [...((block.citations as unknown[] | null) ?? []), delta.citation]
      return ''
    default:
      return ''
  }
}

/** The block as the API takes it back. Of a call whose input is no JSON, `toolCalls` has what the model wrote. */
function finish({ block, json }: Growing): Block {
  if (json === '') return block
  try {
    return { ...block, input: JSON.parse(json) }
  } catch {
    return { ...block, input: {} }
  }
}

function withoutNull(record: Record<string, unknown> | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record ?? {}).filter(([, value]) => value !== null))
}
