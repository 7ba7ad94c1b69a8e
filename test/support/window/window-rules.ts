import { convertToModelMessages, generateText, type ModelMessage, safeValidateUIMessages, type UIMessage } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import type { ContextFormat } from '../../../src/entities/window-enums.ts'
import { places } from './sdk-parts.ts'
import { faultsOf, type Shape } from './sdk-types.ts'

/** A window as a provider receives it. */
export interface Received {
  readonly system: unknown
  readonly messages: readonly unknown[]
}

/** What a window may end with, besides what is finished. */
export interface Ending {
  /** Calls that wait in its last step. */
  readonly waits?: boolean
  /** Calls that the provider was asked to go on with. */
  readonly pauses?: boolean
  /** Everything that was stored has the shape that the SDK declares, so the window has it too. */
  readonly isExact?: boolean
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
export function readAsProvider(format: ContextFormat, received: Received, ending: Ending = {}): Exchange[] {
  readMarks(received)
  if (ending.isExact) requireShapes(format, received)
  switch (format) {
    case 'OPENAI_CHAT':
      return readChat(received.messages as Json[])
    case 'OPENAI_RESPONSES':
      return readResponses(received.messages as Json[], ending)
    case 'ANTHROPIC':
      return readAnthropic(received.messages as Json[], received.system, ending)
    case 'AI_SDK':
      return readUi(received.messages as Json[], received.system, ending)
    case 'AI_SDK_MODEL':
      return readModel(received.messages as Json[], received.system, ending)
  }
}

type Json = Readonly<Record<string, unknown>>

function rule(isKept: unknown, sentence: string, where: unknown): asserts isKept {
  if (!isKept) throw new Error(`${sentence}: ${JSON.stringify(where)?.slice(0, 500)}`)
}

/** What the types of the SDKs declare, with no field that they do not know. */
function requireShapes(format: ContextFormat, { system, messages }: Received): void {
  const require = (shape: Shape, value: unknown) => {
    const [fault] = faultsOf(shape, value)
    rule(fault === undefined, `the shape of the SDK: ${fault}`, value)
  }
  for (const message of messages as Json[]) {
    switch (format) {
      case 'OPENAI_CHAT': {
        // Other providers take these two.
        const { reasoning_content: _, ...own } = message
        require(places.OPENAI_CHAT, withoutMarks(own))
        break
      }
      case 'OPENAI_RESPONSES': {
        // The guide of the local shell names the call by `call_id`, the type by `id`.
        const { call_id: _, ...shell } = message
        // The API takes items without their ids.
        const isBare = message.role === 'assistant' && typeof message.content !== 'string'
        const item = isBare ? { id: 'msg', ...message } : message.type === 'local_shell_call_output' ? shell : message
        const isShaped = faultsOf(places.OPENAI_RESPONSES, item).length === 0 || message.id !== undefined
        require(places.OPENAI_RESPONSES, isShaped ? item : { id: 'id', ...item })
        break
      }
      case 'ANTHROPIC':
        // A mark may stand on a block that is as it was answered.
        for (const { cache_control: _, ...block } of message.content as Json[]) require(places.ANTHROPIC, block)
        break
      case 'AI_SDK':
        for (const part of message.parts as Json[]) require(places.AI_SDK, part)
        break
      case 'AI_SDK_MODEL':
        require(places.AI_SDK_MODEL, message)
    }
  }
  if (format === 'ANTHROPIC')
    for (const { cache_control: _, ...block } of (system ?? []) as Json[]) require(places.ANTHROPIC, block)
}

function withoutMarks(message: Json): Json {
  const { content } = message
  if (!Array.isArray(content)) return message
  return { ...message, content: content.map(({ cache_control: _, ...part }: Json) => part) }
}

/** https://developers.openai.com/api/docs/guides/images-vision and .../file-inputs, 2026-11. */
function requireOpenAiFiles(messages: readonly Json[], api: 'chat' | 'responses'): void {
  let images = 0
  for (const part of everyPart(messages)) {
    const image = part.type === 'image_url' ? (part.image_url as Json)?.url : part.image_url
    if (part.type === 'image_url' || (part.type === 'input_image' && typeof part.file_id !== 'string')) {
      requireAddress(image, ['image/png', 'image/jpeg', 'image/gif', 'image/webp'], part)
    }
    if (part.type === 'image_url' || part.type === 'input_image') images++
    rule(
      api === 'responses' || !String(part.type).startsWith('input_') || part.type === 'input_audio',
      'a part of the Responses API',
      part,
    )
    if (part.type === 'input_audio') {
      const { data, format } = part.input_audio as Json
      rule(api === 'chat' && (format === 'wav' || format === 'mp3') && isBase64(data), 'sounds are WAV or MP3', part)
    }
    const file = part.type === 'file' ? (part.file as Json) : part
    if ((part.type === 'file' || part.type === 'input_file') && typeof file.file_id !== 'string') {
      const [, type] = /^data:([^;]+);base64,/.exec(String(file.file_data)) ?? []
      if (api === 'chat') rule(type === 'application/pdf', 'chat completions take PDF only', part)
      if (file.file_url === undefined) {
        rule(/^(application|text|message)\//.test(type ?? ''), 'a document', part)
        rule(!/octet-stream|zip$/.test(type ?? ''), 'a document of a known type', part)
      }
      requireAddress(file.file_data ?? file.file_url, type === undefined ? [] : [type], part)
    }
  }
  rule(images <= 1500, 'at most 1500 pictures', images)
}

/** https://platform.claude.com/docs/en/build-with-claude/vision and the types of the SDK, 2026-11. */
function requireAnthropicFiles(messages: readonly Json[]): void {
  let images = 0
  for (const part of everyPart(messages)) {
    if (part.type === 'image') images++
    if (part.type !== 'image' && part.type !== 'document') continue
    const { type, url, data, media_type: mediaType } = part.source as Json
    const types = part.type === 'image' ? ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] : ['application/pdf']
    if (type === 'url') requireAddress(url, [], part)
    if (type === 'base64') rule(types.includes(String(mediaType)) && isBase64(data), 'bytes of a known type', part)
    if (type === 'text') rule(mediaType === 'text/plain' && isSomething(data), 'plain text', part)
    rule(['url', 'base64', 'text', 'file', 'content'].includes(String(type)), 'a known source', part)
  }
  rule(images <= 100, 'at most 100 pictures', images)
}

/** What the AI SDK can fetch itself, or passes on as it is. */
function requireSdkFiles(messages: readonly Json[]): void {
  let images = 0
  for (const part of everyPart(messages)) {
    if (part.type !== 'file' && part.type !== 'file-url') continue
    rule(/^[a-z]+\/([a-z0-9.+-]+|\*)$/.test(String(part.mediaType)), 'a media type', part)
    if (String(part.mediaType).startsWith('image/')) images++
    const data = part.data as Json | string | undefined
    if (part.providerReference !== undefined || (typeof data === 'object' && data.type === 'reference')) continue
    const address = part.url ?? data
    if (typeof address === 'object') rule(isBase64((address as Json).data), 'bytes in base64', part)
    else if (part.url !== undefined || /^https?:/.test(String(address))) requireAddress(address, null, part)
    else rule(isBase64(address), 'bytes in base64', part)
  }
  rule(images <= 100, 'no more pictures than every provider takes', images)
}

/** @param types of a `data:` URL; null: any */
function requireAddress(address: unknown, types: readonly string[] | null, where: unknown): void {
  const [, type, data] = /^data:([^;,]+);base64,(.*)$/s.exec(String(address)) ?? []
  if (type !== undefined) {
    rule(types === null || types.includes(type), 'a type that the provider takes', where)
    rule(isBase64(data), 'bytes in base64', where)
  } else rule(/^https?:\/\/[^\s/@]+(\/\S*)?$/.test(String(address)), 'an address that anybody can fetch', where)
}

function isBase64(data: unknown): boolean {
  return typeof data === 'string' && data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data)
}

/** All parts of messages, of results, and of items, at any depth. */
function everyPart(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(everyPart)
  if (typeof value !== 'object' || value === null) return []
  const { type, content, parts, output, value: inner } = value as Json
  // What a provider's own tool found stays as the provider wrote it.
  if (/._tool_result$|json$/.test(String(type))) return [value as Json]
  return [value as Json, ...[content, parts, output, inner].flatMap(everyPart)]
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
  requireOpenAiFiles(messages, 'chat')
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
      rule(call.type === 'custom' || called.arguments !== '', 'arguments are there', call)
      const input = call.type === 'custom' ? called.input : readInput(called.arguments)
      exchanges.push(exchange(called.name, input, answer[0]?.content))
    }
  }
  return exchanges
}

/**
 * https://developers.openai.com/api/docs/guides/conversation-state, and the types of `ResponseInputItem`: a call, and later
 * its output, of the kind that belongs to it. An item id comes once.
 */
function readResponses(items: readonly Json[], ending: Ending): Exchange[] {
  requireOpenAiFiles(items, 'responses')
  // The caller may send these besides words.
  requireUserFirst(items.map(({ role, type }) => (callersTypes.has(String(type)) ? 'user' : (role ?? type))))
  const open = new Map<string, Json>()
  const known = new Set<unknown>()
  const programs = new Set<unknown>()
  const ids = new Set<unknown>()
  const exchanges: Exchange[] = []
  items.forEach((item, at) => {
    const type = String(item.type ?? (item.role === undefined ? 'item_reference' : 'message'))
    if (typeof item.id === 'string' && type !== 'local_shell_call_output') {
      rule(!ids.has(item.id), 'an item id comes once', item)
      ids.add(item.id)
    }
    // Searches of the provider have no id: the result is the next one.
    const isSearch = type.startsWith('tool_search_') && typeof item.call_id !== 'string'
    const id = isSearch ? '' : String(item.approval_request_id ?? item.call_id ?? item.id)
    const outputType = outputTypes.get(type)
    const callType = [...outputTypes].find(([, output]) => output === type)?.[0]
    if (outputType !== undefined) {
      rule(isSearch || !known.has(id), 'call ids come once', item)
      rule(item.arguments !== '', 'arguments are there', item)
      if (type === 'function_call' || type === 'custom_tool_call') {
        requireToolName(item.name, 64)
        rule(id.length <= 64, 'call ids have at most 64 characters', item)
      }
      const caller = item.caller as Json | undefined
      rule(caller?.type !== 'program' || programs.has(caller.caller_id), 'the program that calls is there', item)
      open.set(`${outputType} ${id}`, item)
      known.add(id)
      if (type === 'program') programs.add(id)
    } else if (callType !== undefined) {
      const call = open.get(`${type} ${id}`)
      rule(call !== undefined && open.delete(`${type} ${id}`), 'an output answers a call before it, once', item)
      if (type === 'computer_call_output') rule((item.output as Json).type === 'computer_screenshot', 'a picture', item)
      if (type === 'shell_call_output') rule(Array.isArray(item.output), 'a list of outputs', item)
      if (type === 'mcp_approval_response') rule(typeof item.approve === 'boolean', 'yes or no', item)
      if (type === 'function_call_output') {
        exchanges.push(exchange(call.name, readInput(call.arguments), item.output))
      }
    } else if (type === 'reasoning') {
      // A model may think in several items, one after another.
      const follower = items.slice(at + 1).find((later) => later.type !== 'reasoning')
      const isFollowed = outputTypes.has(String(follower?.type)) || follower?.role === 'assistant'
      rule(
        isFollowed || wholeTypes.has(String(follower?.type ?? 'item_reference')),
        'reasoning comes with what it led to',
        item,
      )
      rule(Boolean(item.id ?? item.encrypted_content), 'reasoning has an id or its encrypted content', item)
      rule(Array.isArray(item.summary), 'reasoning has a summary, which may be empty', item)
    } else if (!wholeTypes.has(type)) {
      rule(type === 'message', 'a known kind of item', item)
      const said = Array.isArray(item.content) ? (item.content as Json[]) : []
      const isHeard = said.every(
        (part) => /^(output_text|refusal)$/.test(String(part.type)) === (item.role === 'assistant'),
      )
      rule(isHeard, 'an assistant puts out, and everybody else puts in', item)
      rule(item.content !== '' && !isNone(item.content), 'a message has content', item)
      const unanswered = [...open.values()].filter((call) => call.type !== 'program')
      const isOver = item.role !== 'assistant'
      rule(!isOver || unanswered.length === 0, 'calls are answered before anybody else says something', item)
    }
  })
  for (const call of open.values()) {
    const isWaiting = ending.waits && call.type === 'mcp_approval_request'
    rule(
      isWaiting || (ending.pauses && /^(program|tool_search_call)$/.test(String(call.type))),
      'every call has its output',
      call,
    )
  }
  return exchanges
}

/** What answers the calls of each kind. */
const outputTypes = new Map([
  ['function_call', 'function_call_output'],
  ['custom_tool_call', 'custom_tool_call_output'],
  ['computer_call', 'computer_call_output'],
  ['local_shell_call', 'local_shell_call_output'],
  ['shell_call', 'shell_call_output'],
  ['apply_patch_call', 'apply_patch_call_output'],
  ['tool_search_call', 'tool_search_output'],
  ['program', 'program_output'],
  ['mcp_approval_request', 'mcp_approval_response'],
])

const callersTypes = new Set([
  'undefined',
  'null',
  'item_reference',
  'configuration_update',
  'additional_tools',
  'compaction',
  'compaction_trigger',
  'mcp_list_tools',
])

/** Items that need no other. */
const wholeTypes = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
  'mcp_list_tools',
  'compaction',
  'compaction_trigger',
  'item_reference',
  'additional_tools',
  'configuration_update',
])

/**
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use, …/server-tools,
 * …/programmatic-tool-calling, and the errors of the API.
 */
function readAnthropic(messages: readonly Json[], system: unknown, ending: Ending): Exchange[] {
  requireAnthropicFiles(messages)
  for (const block of (system ?? []) as Json[]) {
    rule(block.type === 'text' && isSomething(block.text), 'instructions are texts', block)
  }
  rule(messages.length === 0 || messages[0]?.role === 'user', 'the first message is the user’s', messages[0])
  const known = new Set<unknown>()
  const hosted = new Map<unknown, Json>()
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
    const isCalled = asked.some(({ caller }) => hosted.has((caller as Json | undefined)?.tool_id))
    rule(!isCalled || answers.length === blocks.length, 'a program gets results and nothing else', blocks)
    for (const block of blocks) {
      const type = String(block.type)
      const caller = (block.caller ?? {}) as Json
      if (type.endsWith('tool_use')) {
        rule(role === 'assistant' && !known.has(block.id), 'ids come once', block)
        known.add(block.id)
        rule(typeof caller.tool_id !== 'string' || known.has(caller.tool_id), 'the program that calls is there', block)
      }
      if (type === 'server_tool_use' || type === 'mcp_tool_use') hosted.set(block.id, block)
      else if (type === 'tool_use') {
        requireToolName(block.name, 128)
        rule(/^[a-zA-Z0-9_-]+$/.test(String(block.id)), 'ids are of plain characters', block)
        rule(typeof block.input === 'object' && block.input !== null, 'input is an object', block)
      } else if (type.endsWith('_tool_result')) {
        const isOpen = hosted.delete(block.tool_use_id)
        rule(role === 'assistant' && isOpen, 'a result of a server tool answers its call before it, once', block)
      }
    }
    for (const { type, signature, data } of blocks) {
      rule(type !== 'thinking' || Boolean(signature), 'a thought has its signature', blocks)
      rule(type !== 'redacted_thinking' || Boolean(data), 'a thought that is hidden has its data', blocks)
    }
    if (role === 'user') rule(!blocks.some(({ type }) => type === 'thinking'), 'only an assistant thinks', blocks)
    else rule(blocks.at(-1)?.type !== 'thinking', 'a thought is not the last of a message', blocks)
  })
  rule(hosted.size === 0 || ending.pauses, 'every call of a server tool has its result', [...hosted.values()])
  const last = messages.at(-1)
  const end = last?.role === 'assistant' ? (last.content as Json[]).at(-1) : undefined
  rule(end?.type !== 'text' || !/\s$/.test(String(end.text)), 'a last message does not end in white space', end)
  rule(end?.type !== 'tool_use', 'every call has its result', end)
  return exchanges
}

function readUi(messages: readonly Json[], system: unknown, ending: Ending): Exchange[] {
  requireSdkFiles(messages)
  requireInstructions(system)
  requireUserFirst(messages.map(({ role }) => role))
  const known = new Set<unknown>()
  return messages.flatMap(({ role, parts }, at) => {
    rule((parts as Json[]).length > 0, 'a message has parts', parts)
    const lastStep = (parts as Json[]).findLastIndex(({ type }) => type === 'step-start')
    return (parts as Json[]).flatMap((part, index) => {
      if (part.toolCallId === undefined) return []
      rule(role === 'assistant' && !known.has(part.toolCallId), 'ids come once', part)
      known.add(part.toolCallId)
      const { state } = part
      const isDenied = (part.approval as Json | undefined)?.approved === false
      const isLast = at === messages.length - 1 && index > lastStep
      const isAnswered = state === 'output-available' || state === 'output-error' || state === 'output-denied'
      const isOpen = isLast && (ending.waits || (ending.pauses && part.providerExecuted === true))
      rule(isAnswered || isOpen || (isDenied && part.providerExecuted === true), 'every call has its result', part)
      rule(state !== 'output-denied' || isDenied, 'who denied it is told', part)
      if (part.providerExecuted === true || !isAnswered) return []
      const output = state === 'output-denied' ? 'denied' : (part.output ?? part.errorText)
      return [exchange(part.toolName ?? String(part.type).slice(5), part.input, output)]
    })
  })
}

function readModel(messages: readonly Json[], system: unknown, ending: Ending): Exchange[] {
  requireSdkFiles(messages)
  requireInstructions(system)
  requireUserFirst(messages.map(({ role }) => role))
  const known = new Set<unknown>()
  return messages.flatMap(({ role, content }, at) => {
    const parts = content as Json[]
    rule(parts.length > 0, 'a message has content', messages[at])
    const isLast = messages.slice(at + 1).every((message) => message.role === 'tool')
    const all = parts.filter(({ type }) => type === 'tool-call')
    const [calls, hosted] = [all.filter((call) => !call.providerExecuted), all.filter((call) => call.providerExecuted)]
    const next = messages[at + 1]
    const replies = next?.role === 'tool' ? (next.content as Json[]) : []
    const answers = replies.filter(({ type }) => type === 'tool-result')
    const asked = parts.filter(({ type }) => type === 'tool-approval-request')
    rule(role !== 'tool' || messages[at - 1]?.role === 'assistant', 'results follow their calls', messages[at])
    if (role === 'tool') return []
    rule(answers.length === calls.length || (isLast && ending.waits), 'every call has its result', [calls, answers])
    for (const { type, approvalId } of replies) {
      if (type !== 'tool-approval-response') continue
      rule(
        asked.some((request) => request.approvalId === approvalId),
        'an answer of people has its question',
        replies,
      )
    }
    for (const { toolCallId } of asked) {
      rule(
        all.some((call) => call.toolCallId === toolCallId),
        'a question is about a call',
        parts,
      )
    }
    for (const { toolCallId } of hosted) {
      const isAnswered = parts.some((part) => part.type === 'tool-result' && part.toolCallId === toolCallId)
      const isAllowed = asked.some((request) => request.toolCallId === toolCallId)
      rule(isAnswered || isAllowed || (isLast && ending.pauses), 'a call of the provider has its result', parts)
    }
    for (const { toolCallId, type } of parts) {
      const isOpen = type === 'tool-result' && hosted.some((call) => call.toolCallId === toolCallId)
      rule(type !== 'tool-result' || isOpen, 'a result of the provider has its call', parts)
    }
    return calls.flatMap((call) => {
      rule(!known.has(call.toolCallId), 'ids come once', call)
      known.add(call.toolCallId)
      const answer = answers.find(({ toolCallId }) => toolCallId === call.toolCallId)
      if (answer === undefined && isLast && ending.waits) return []
      rule(answer !== undefined, 'every call has its result', call)
      const output = answer.output as Json
      return [exchange(call.toolName, call.input, output.type === 'execution-denied' ? 'denied' : output.value)]
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
    // The SDK fetches what its model does not.
    supportedUrls: { '*': [/^https?:\/\//] },
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

/** OpenAI takes every text as arguments: a model may have written no JSON. */
function readInput(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return text
  }
}

function exchange(name: unknown, input: unknown, output: unknown): Exchange {
  return { name: String(name), input, output: textOf(output) }
}

function textOf(output: unknown): string {
  return Array.isArray(output) ? output.map((part: Json | null) => String(part?.text)).join('') : String(output)
}

function isNone(content: unknown): boolean {
  return Array.isArray(content) && content.length === 0
}

function isSomething(text: unknown): boolean {
  return typeof text === 'string' && text.trim() !== ''
}
