import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { readAsProvider, requireToolName } from './window-rules.ts'

/** What a provider sends of an answer: the events of its stream, in its own words. */
export type Script = Iterable<object> | AsyncIterable<object>

type Body = Record<string, unknown>

/** What a model says: texts as they come, and calls. */
export interface Saying {
  readonly texts?: readonly string[]
  readonly reasoning?: string
  /** Deltas of chat completions that come before the texts, as other providers send reasoning. */
  readonly deltas?: readonly object[]
  readonly refusal?: string
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  /** Anthropic's reason for ending there, where it is none of the usual ones. */
  readonly stopReason?: string
}

/**
 * OpenAI's and Anthropic's APIs on one local port, by a script: tests have no key and no network, and so the real SDKs talk
 * to this. It is as strict as they are with the messages of a request, and refuses what they would refuse.
 */
export class ModelServer implements AsyncDisposable {
  readonly url: string
  /** The bodies of all requests that were not refused. */
  readonly requests: Body[] = []
  readonly #server: Server
  readonly #scripts: (Script | ((body: Body) => Script) | { readonly status: number })[]

  private constructor(server: Server, scripts: (Script | ((body: Body) => Script) | { readonly status: number })[]) {
    this.#server = server
    this.#scripts = scripts
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  /** @param scripts one for each request, in order; a status is an error of the provider's */
  static async start(
    ...scripts: (Script | ((body: Body) => Script) | { readonly status: number })[]
  ): Promise<ModelServer> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ModelServer(server, scripts)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as Body
    const fault = findFault(request.url ?? '', body)
    if (fault !== null) return refuse(response, 400, fault)
    this.requests.push(body)
    const script = this.#scripts.shift()
    if (script === undefined) return refuse(response, 400, 'The script is over.')
    if ('status' in script) return refuse(response, script.status, 'As the script says.')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for await (const event of typeof script === 'function' ? script(body) : script) {
      if (response.destroyed) return
      const name = 'type' in event ? `event: ${event.type}\n` : ''
      response.write(`${name}data: ${JSON.stringify(event)}\n\n`)
    }
    if (request.url?.endsWith('/chat/completions')) response.write('data: [DONE]\n\n')
    response.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** Why the provider would refuse a request; null: it would not. */
function findFault(path: string, body: Body): string | null {
  const { messages, input, system = null, stream } = body
  if (stream !== true) return 'This one only streams.'
  try {
    const described = (body.tools ?? []) as { name?: string; function?: { name: string }; custom?: { name: string } }[]
    for (const { name, function: called, custom } of described) {
      requireToolName(name ?? (called ?? custom)?.name, path.endsWith('/messages') ? 128 : 64)
    }
    if (path.endsWith('/chat/completions')) readAsProvider('OPENAI_CHAT', { system: null, messages: messages as [] })
    else if (path.endsWith('/responses')) readAsProvider('OPENAI_RESPONSES', { system: null, messages: input as [] })
    else if (path.endsWith('/messages')) readAsProvider('ANTHROPIC', { system, messages: messages as [] })
    else return `There is no ${path}.`
    return null
  } catch (error) {
    return String(error)
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-should-retry': 'false' })
  response.end(JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } }))
}

/** https://developers.openai.com/api/reference/resources/chat: chunks of a chat completion. */
export function* chatScript({ deltas = [], texts = [], refusal, calls = [] }: Saying): Generator<object> {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-test-1',
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
    usage: null,
  })
  yield chunk({ role: 'assistant', content: calls.length > 0 ? null : '' })
  for (const delta of deltas) yield chunk(delta)
  for (const content of texts) yield chunk({ content })
  if (refusal) yield chunk({ refusal })
  for (const [index, { id, name, arguments: text }] of calls.entries()) {
    yield chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] })
    for (const piece of pieces(text)) yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] })
  }
  yield chunk({}, calls.length > 0 ? 'tool_calls' : 'stop')
  const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }
  yield { ...chunk({}), choices: [], usage }
}

/** https://developers.openai.com/api/reference/resources/responses: events of a response. */
export function* responsesScript({ texts = [], reasoning, calls = [] }: Saying): Generator<object> {
  const text = texts.join('')
  const id = crypto.randomUUID()
  const said = { id: `msg_${id}`, type: 'message', status: 'completed', role: 'assistant' }
  const thought = { id: `rs_${id}`, type: 'reasoning', summary: [], encrypted_content: reasoning }
  const output = [
    ...(reasoning ? [thought] : []),
    ...(text ? [{ ...said, content: [{ type: 'output_text', text, annotations: [], logprobs: [] }] }] : []),
    ...calls.map(({ id: call_id, ...call }) => ({
      id: `fc_${call_id}`,
      type: 'function_call',
      status: 'completed',
      call_id,
      ...call,
    })),
  ]
  const usage = { input_tokens: 7, output_tokens: 5, total_tokens: 12 }
  const response = { id: `resp_${id}`, object: 'response', model: 'gpt-test-1', status: 'in_progress', output: [] }
  yield { type: 'response.created', response, sequence_number: 0 }
  for (const delta of texts) {
    yield { type: 'response.output_text.delta', item_id: said.id, output_index: 0, content_index: 0, delta }
  }
  yield { type: 'response.completed', response: { ...response, status: 'completed', output, usage } }
}

/** https://platform.claude.com/docs/en/build-with-claude/streaming: events of a message. */
export function* messagesScript({ texts = [], reasoning, calls = [], stopReason }: Saying): Generator<object> {
  const usage = { input_tokens: 7, cache_read_input_tokens: 0, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-test-1', content: [] }
  yield { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null, usage } }
  yield { type: 'ping' }
  let index = 0
  function* block(content_block: object, ...deltas: object[]): Generator<object> {
    yield { type: 'content_block_start', index, content_block }
    for (const delta of deltas) yield { type: 'content_block_delta', index, delta }
    yield { type: 'content_block_stop', index }
    index += 1
  }
  if (reasoning) {
    const thoughts = pieces('Let me think.').map((thinking) => ({ type: 'thinking_delta', thinking }))
    const signature = { type: 'signature_delta', signature: reasoning }
    yield* block({ type: 'thinking', thinking: '', signature: '' }, ...thoughts, signature)
  }
  if (texts.length > 0) yield* block({ type: 'text', text: '' }, ...texts.map((text) => ({ type: 'text_delta', text })))
  for (const { id, name, arguments: text } of calls) {
    const deltas = pieces(text).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
    yield* block({ type: 'tool_use', id, name, input: {} }, ...deltas)
  }
  const delta = { stop_reason: stopReason ?? (calls.length > 0 ? 'tool_use' : 'end_turn'), stop_sequence: null }
  yield { type: 'message_delta', delta, usage: { input_tokens: null, output_tokens: 5 } }
  yield { type: 'message_stop' }
}

/** A text as it comes: cut wherever it happens. */
function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,3}/g) ?? []
}
