import { convertToModelMessages, generateText, type ModelMessage, safeValidateUIMessages, type UIMessage } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import type { ContextFormat } from '../../src/entities/window-enums.ts'

/** A window as a provider receives it. */
export interface Received {
  readonly system: unknown
  readonly messages: readonly unknown[]
}

/** What a call was asked for and what it was answered, in order: the same in every format. */
export interface Exchange {
  readonly name: string
  readonly input: unknown
  readonly output: string
}

/**
 * Reads a window as strictly as its provider does, by the provider's documentation, and answers the calls that it found.
 *
 * @throws Error naming the rule that the window breaks
 */
export function readAsProvider(format: ContextFormat, received: Received): Exchange[] {
  readMarks(received)
  switch (format) {
    case 'OPENAI_CHAT':
      return readChat(received.messages as Json[])
    case 'OPENAI_RESPONSES':
      return readResponses(received.messages as Json[])
    case 'ANTHROPIC':
      return readAnthropic(received.messages as Json[], received.system)
    case 'AI_SDK':
      return readUi(received.messages as Json[], received.system)
    case 'AI_SDK_MODEL':
      return readModel(received.messages as Json[], received.system)
  }
}

type Json = Readonly<Record<string, unknown>>

function rule(isKept: boolean, sentence: string, where: unknown): asserts isKept {
  if (!isKept) throw new Error(`${sentence}: ${JSON.stringify(where)?.slice(0, 500)}`)
}

/**
 * https://developers.openai.com/api/reference/resources/chat (`FunctionDefinition.name`), and the errors of Anthropic's API,
 * read 2026-11.
 */
export function requireToolName(name: unknown, most: 64 | 128): void {
  const isPlain = typeof name === 'string' && /^[a-zA-Z0-9_-]+$/.test(name) && name.length <= most
  rule(isPlain, `a tool has a name of 1 to ${most} plain characters`, name)
}

/**
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching, read 2026-11: at most 4 marks, none on a thought or on
 * an empty text. Those of the AI SDK's Anthropic package become such marks.
 */
export function readMarks({ system, messages }: Received): Json[] {
  const marked: Json[] = []
  const look = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return
    const record = value as Json
    const { anthropic } = (record.providerOptions ?? record.providerMetadata ?? {}) as { anthropic?: Json }
    // A text of this name is what a tool answered.
    if (typeof (record.cache_control ?? anthropic?.cacheControl ?? '') === 'object') marked.push(record)
    for (const [key, inner] of Object.entries(record)) if (key !== 'input') look(inner)
  }
  look([system, messages])
  rule(marked.length <= 4, 'a request has at most 4 marks', marked)
  for (const block of marked) {
    rule(!/thinking|reasoning/.test(String(block.type)), 'a thought has no mark', block)
    rule(block.type !== 'text' || isSomething(block.text), 'an empty text has no mark', block)
  }
  return marked
}

/**
 * What DeepSeek and Kimi want of messages with calls while they think: https://api-docs.deepseek.com/guides/thinking_mode and
 * https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model, read 2026-11.
 */
export function requireReasoning({ messages }: Received): void {
  for (const message of messages as Json[]) {
    const isThere = [message.reasoning_content, message.reasoning].some(
      (text) => typeof text === 'string' && text !== '',
    )
    const isGiven = isThere || Array.isArray(message.reasoning_details)
    rule(message.tool_calls === undefined || isGiven, 'a message with calls has its reasoning', message)
    rule(!isGiven || message.role === 'assistant', 'only an assistant reasons', message)
  }
}

/** The first message after the instructions is the user's. */
function requireUserFirst(roles: readonly unknown[]): void {
  const first = roles.find((role) => role !== 'system' && role !== 'developer')
  rule(first === undefined || first === 'user', 'the first message is the user’s', roles)
}

/** https://developers.openai.com/api/docs/guides/function-calling, and the errors of the API. */
function readChat(messages: readonly Json[]): Exchange[] {
  requireUserFirst(messages.map(({ role }) => role))
  const exchanges: Exchange[] = []
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at] as Json
    rule(message.role !== 'tool', 'a tool message follows the call that it answers', message)
    const calls = (message.tool_calls ?? []) as Json[]
    const isEmpty = message.content === null || message.content === '' || isNone(message.content)
    rule(!isEmpty || (message.role === 'assistant' && calls.length > 0), 'a message has content', message)
    if (message.tool_calls === undefined) continue
    rule(message.role === 'assistant' && calls.length > 0, 'an assistant calls something', message)
    const answers = messages.slice(at + 1, at + 1 + calls.length)
    at += calls.length
    const ids = new Set(calls.map(({ id }) => id))
    rule(ids.size === calls.length, 'the calls of a message have their own ids', message)
    for (const call of calls) {
      rule(
        typeof call.id === 'string' && call.id.length >= 1 && call.id.length <= 40,
        'ids have 1 to 40 characters',
        call,
      )
      const answer = answers.filter(({ role, tool_call_id: id }) => role === 'tool' && id === call.id)
      rule(answer.length === 1, 'every call is answered once, directly after it', [call, answers])
      const called = (call.function ?? call.custom) as Json
      requireToolName(called.name, 64)
      rule(call.type === 'function' && called.arguments !== '', 'arguments are there', call)
      exchanges.push(exchange(called.name, JSON.parse(String(called.arguments)), answer[0]?.content))
    }
  }
  return exchanges
}

/** https://developers.openai.com/api/docs/guides/conversation-state: a call, and later its output. */
function readResponses(items: readonly Json[]): Exchange[] {
  requireUserFirst(items.map(({ role, type }) => role ?? type))
  const open = new Map<unknown, Json>()
  const known = new Set<unknown>()
  const exchanges: Exchange[] = []
  items.forEach((item, at) => {
    if (item.type === 'function_call') {
      rule(!known.has(item.call_id), 'call ids come once', item)
      rule(String(item.call_id).length <= 64, 'call ids have at most 64 characters', item)
      rule(item.arguments !== '', 'arguments are there', item)
      requireToolName(item.name, 64)
      open.set(item.call_id, item)
      known.add(item.call_id)
    } else if (item.type === 'function_call_output') {
      const call = open.get(item.call_id)
      rule(call !== undefined && open.delete(item.call_id), 'an output answers a call before it, once', item)
      exchanges.push(exchange(call.name, JSON.parse(String(call.arguments)), item.output))
    } else if (item.type === 'reasoning') {
      const follower = items[at + 1]
      const isFollowed = follower?.type === 'function_call' || follower?.role === 'assistant'
      rule(isFollowed, 'reasoning comes with what it led to', item)
      rule(Boolean(item.id ?? item.encrypted_content), 'reasoning has an id or its encrypted content', item)
      rule(Array.isArray(item.summary), 'reasoning has a summary, which may be empty', item)
    } else {
      rule(item.type === 'message', 'a known kind of item', item)
      rule(item.content !== '' && !isNone(item.content), 'a message has content', item)
      rule(open.size === 0, 'calls are answered before anything else is said', item)
    }
  })
  rule(open.size === 0, 'every call has its output', [...open.values()])
  return exchanges
}

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use, and the errors of the API. */
function readAnthropic(messages: readonly Json[], system: unknown): Exchange[] {
  for (const block of (system ?? []) as Json[]) {
    rule(block.type === 'text' && isSomething(block.text), 'instructions are texts', block)
  }
  rule(messages.length === 0 || messages[0]?.role === 'user', 'the first message is the user’s', messages[0])
  const known = new Set<unknown>()
  const exchanges: Exchange[] = []
  messages.forEach(({ role, content }, at) => {
    rule(role === (at % 2 === 0 ? 'user' : 'assistant'), 'roles alternate', messages)
    const blocks = content as Json[]
    rule(blocks.length > 0, 'a message has content', messages[at])
    for (const { type, text } of blocks) rule(type !== 'text' || isSomething(text), 'no text is empty', blocks)
    const previous = (messages[at - 1]?.content ?? []) as Json[]
    const asked = previous.filter(({ type }) => type === 'tool_use')
    const answers = blocks.filter(({ type }) => type === 'tool_result')
    rule(answers.length === asked.length, 'the next message has a result for every call', [asked, answers])
    rule(
      blocks.slice(0, answers.length).every(({ type }) => type === 'tool_result'),
      'results come first',
      blocks,
    )
    for (const call of asked) {
      const answer = answers.filter(({ tool_use_id: id }) => id === call.id)
      rule(answer.length === 1, 'a call is answered once', [call, answers])
      rule(answer[0]?.is_error !== true || answer[0].content !== undefined, 'an error says something', answer)
      exchanges.push(exchange(call.name, call.input, answer[0]?.content ?? ''))
    }
    for (const call of blocks.filter(({ type }) => type === 'tool_use')) {
      rule(role === 'assistant' && /^[a-zA-Z0-9_-]+$/.test(String(call.id)), 'ids are of plain characters', call)
      requireToolName(call.name, 128)
      rule(!known.has(call.id), 'ids come once', call)
      known.add(call.id)
      rule(typeof call.input === 'object' && call.input !== null, 'input is an object', call)
    }
    for (const { type, signature, data } of blocks) {
      rule(type !== 'thinking' || Boolean(signature), 'a thought has its signature', blocks)
      rule(type !== 'redacted_thinking' || Boolean(data), 'a thought that is hidden has its data', blocks)
    }
    if (role === 'user') rule(!blocks.some(({ type }) => type === 'thinking'), 'only an assistant thinks', blocks)
    else rule(blocks.at(-1)?.type !== 'thinking', 'a thought is not the last of a message', blocks)
  })
  const last = messages.at(-1)
  const end = last?.role === 'assistant' ? (last.content as Json[]).at(-1) : undefined
  rule(end?.type !== 'text' || !/\s$/.test(String(end.text)), 'a last message does not end in white space', end)
  rule(end?.type !== 'tool_use', 'every call has its result', end)
  return exchanges
}

function readUi(messages: readonly Json[], system: unknown): Exchange[] {
  requireInstructions(system)
  requireUserFirst(messages.map(({ role }) => role))
  const known = new Set<unknown>()
  return messages.flatMap(({ role, parts }) => {
    rule((parts as Json[]).length > 0, 'a message has parts', parts)
    return (parts as Json[]).flatMap((part) => {
      if (part.toolCallId === undefined) return []
      rule(role === 'assistant' && !known.has(part.toolCallId), 'ids come once', part)
      known.add(part.toolCallId)
      rule(part.state === 'output-available' || part.state === 'output-error', 'every call has its result', part)
      return [exchange(part.toolName ?? String(part.type).slice(5), part.input, part.output ?? part.errorText)]
    })
  })
}

function readModel(messages: readonly Json[], system: unknown): Exchange[] {
  requireInstructions(system)
  requireUserFirst(messages.map(({ role }) => role))
  const known = new Set<unknown>()
  return messages.flatMap(({ role, content }, at) => {
    rule((content as Json[]).length > 0, 'a message has content', messages[at])
    const calls = (content as Json[]).filter(({ type }) => type === 'tool-call')
    const next = messages[at + 1]
    const answers = next?.role === 'tool' ? (next.content as Json[]) : []
    rule(role !== 'tool' || messages[at - 1]?.role === 'assistant', 'results follow their calls', messages[at])
    if (role !== 'tool') rule(answers.length === calls.length, 'every call has its result', [calls, answers])
    return calls.map((call) => {
      rule(!known.has(call.toolCallId), 'ids come once', call)
      known.add(call.toolCallId)
      const answer = answers.find(({ toolCallId }) => toolCallId === call.toolCallId)
      rule(answer !== undefined, 'every call has its result', call)
      return exchange(call.toolName, call.input, (answer.output as Json).value)
    })
  })
}

function requireInstructions(system: unknown): void {
  for (const instruction of (system ?? []) as Json[]) {
    rule(instruction.role === 'system' && isSomething(instruction.content), 'instructions are texts', instruction)
  }
}

/** Takes a window through the AI SDK itself, to the call of a model; what the SDK refuses, it throws. */
export async function readBySdk(format: 'AI_SDK' | 'AI_SDK_MODEL', { system, messages }: Received): Promise<void> {
  if (messages.length === 0) return
  if (format === 'AI_SDK') {
    const validated = await safeValidateUIMessages({ messages })
    if (!validated.success) throw validated.error
  }
  const model = new MockLanguageModelV4({
    doGenerate: {
      content: [{ type: 'text', text: 'Done.' }],
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: {
        inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
        outputTokens: { total: 1, text: 1, reasoning: 0 },
      },
      warnings: [],
    },
  })
  const modelMessages =
    format === 'AI_SDK'
      ? await convertToModelMessages(messages as UIMessage[])
      : (structuredClone(messages) as ModelMessage[])
  const instructions = (system ?? undefined) as { role: 'system'; content: string }[] | undefined
  await generateText({ model, messages: modelMessages, ...(instructions === undefined ? {} : { instructions }) })
}

function exchange(name: unknown, input: unknown, output: unknown): Exchange {
  return { name: String(name), input, output: textOf(output) }
}

function textOf(output: unknown): string {
  return Array.isArray(output) ? output.map((part: Json) => String(part.text)).join('') : String(output)
}

function isNone(content: unknown): boolean {
  return Array.isArray(content) && content.length === 0
}

function isSomething(text: unknown): boolean {
  return typeof text === 'string' && text.trim() !== ''
}
