import { Conversation } from '../../../src/entities/conversation.ts'
import { Message } from '../../../src/entities/message/message.ts'
import type { MessageStatus, PartsFormat } from '../../../src/entities/message/message-enums.ts'

/** A message as it would be read, at its place in a conversation. */
export function storedMessage(seq: number, fields: Partial<Message>): Message {
  const conversation = Object.assign(new Conversation(), { key: '0190f3a0-0000-7000-8000-000000000001', epoch: 1 })
  const bare = { name: null, content: null, parts: null, partsFormat: null, toolCalls: [], toolName: null }
  const message = { ...bare, toolCallId: null, toolError: null, clientId: null, status: 'COMPLETE', deletedAt: null }
  return Object.assign(new Message(), { ...message, ...fields, conversation, seq })
}

/** What a test knows of a message: the truth that a window is judged by, told when it is made. */
export interface Told {
  readonly message: Message
  /** Whether the user speaks in it, so that a window may begin there. */
  readonly begins: boolean
  /** In order: what it calls, and what it answers. */
  readonly events: readonly ToldEvent[]
  /** Whether anything of it can be in a window. */
  readonly isSilent: boolean
}

export type ToldEvent =
  | { readonly kind: 'call'; readonly id: string; readonly mark: string }
  /** `of` a certain call, where both are one part. */
  | { readonly kind: 'result'; readonly id: string; readonly text: string; readonly of?: string }
  | { readonly kind: 'words' }

/** mulberry32: the same numbers for the same seed, on every machine. */
export function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const spellings = ['PLAIN', 'OPENAI_CHAT', 'OPENAI_RESPONSES', 'ANTHROPIC', 'AI_SDK', 'LANGCHAIN'] as const
type Spelling = (typeof spellings)[number]

/**
 * A conversation with all that goes wrong in one: parallel and repeated calls, interrupted ones, results that are late, twice
 * or nobody's, instructions and words of the user between a call and its result, every dialect, and messages that are
 * deleted, still written, failed or cancelled.
 */
export function makeTranscript(seed: number): Told[] {
  const next = seeded(seed)
  const told: Told[] = []
  let mark = 0
  const tell = (fields: Partial<Message>, events: ToldEvent[], begins = false) => {
    const fate = next(30)
    const isDeleted = fate === 0
    const status: MessageStatus =
      fate === 1 ? 'STREAMING' : fate === 2 ? 'FAILED' : fate === 3 ? 'CANCELLED' : 'COMPLETE'
    const gone = isDeleted ? { content: null, parts: null, toolCalls: [], deletedAt: '2026-01-01T00:00:00Z' } : {}
    const isSilent = isDeleted || status === 'STREAMING' || events.length === 0
    const message = storedMessage(told.length + 1, { ...fields, status, ...gone })
    told.push({ message, begins: begins && !isSilent, events: isSilent ? [] : events, isSilent })
  }
  for (let i = next(3); i > 0; i--) {
    tell({ role: next(2) ? 'SYSTEM' : 'DEVELOPER', content: `Rule ${i}.` }, [{ kind: 'words' }])
  }
  const length = 4 + next(28)
  const pending: { id: string; name: string }[] = []
  while (told.length < length) {
    const spelling = spellings[next(spellings.length)] as Spelling
    const choice = next(20)
    if (choice < 5) {
      const text = `Question ${++mark} ${'é'.repeat(next(3))}`
      tell(user(spelling, text), [{ kind: 'words' }], true)
      if (next(2)) pending.length = 0
    } else if (choice < 7) tell({ role: 'SYSTEM', content: `Note ${++mark}.` }, [{ kind: 'words' }])
    else if (choice < 10) tell(assistant(spelling, `Answer ${++mark}`, []), [{ kind: 'words' }])
    else if (choice < 11) tell({ role: 'USER', content: '' }, [])
    else if (choice < 15) {
      const calls = Array.from({ length: 1 + next(3) }, () => ({
        id: idOf(next),
        name: toolNames[next(toolNames.length)] as string,
        mark: `call-${++mark}`,
      }))
      const text = next(2) ? `Let me see ${mark}` : ''
      const inline = spelling === 'AI_SDK' && next(2) === 0
      const results = inline
        ? calls.map((made) => ({ kind: 'result' as const, id: made.id, text: `result-${++mark}`, of: made.mark }))
        : []
      const words = text === '' ? [] : [{ kind: 'words' as const }]
      tell(assistant(spelling, text, calls, results), [
        ...words,
        ...calls.map(({ id, mark }) => ({ kind: 'call' as const, id, mark })),
        ...results,
      ])
      if (!inline) pending.push(...calls)
    } else {
      const at = next(10) === 0 || pending.length === 0 ? -1 : next(pending.length)
      const [call] = at === -1 ? [] : pending.splice(at, next(8) === 0 ? 0 : 1)
      const id = call?.id ?? idOf(next)
      const text = `result-${++mark}`
      const words = spelling === 'ANTHROPIC' && next(3) === 0 ? `And then ${mark}` : ''
      const events: ToldEvent[] = [{ kind: 'result', id, text }]
      if (words !== '') events.push({ kind: 'words' })
      tell(result(spelling, id, call?.name ?? 'tool_0', text, words, next(5) === 0), events, words !== '')
      if (words !== '') pending.length = 0
    }
  }
  return told
}

/** Some that no provider takes. */
const toolNames = ['tool_0', 'tool_1', 'calendar.listEvents', 'files/read', 'datei öffnen', `${'long.'.repeat(40)}end`]

/** Few ids, so that they come again; some that no provider takes. */
function idOf(next: (below: number) => number): string {
  const ids = ['call_1', 'call_2', 'call_1-2', 'toolu_3', 'with space', `${'long_'.repeat(20)}${next(2)}`, 'äöü']
  return ids[next(ids.length)] as string
}

function user(spelling: Spelling, text: string): Partial<Message> {
  const block = spelling === 'OPENAI_RESPONSES' ? { type: 'input_text', text } : { type: 'text', text }
  if (spelling === 'PLAIN') return { role: 'USER', content: text }
  return { role: 'USER', content: text, parts: [block], partsFormat: spelling }
}

interface MadeCall {
  readonly id: string
  readonly name: string
  readonly mark: string
}

function assistant(
  spelling: Spelling,
  text: string,
  calls: readonly MadeCall[],
  results: readonly { readonly id: string; readonly text: string }[] = [],
): Partial<Message> {
  const plain = calls.map(({ id, name, mark }) => ({
    callId: id,
    name,
    arguments: JSON.stringify({ mark }),
    type: 'function',
    extra: null,
  }))
  const content = text === '' ? null : text
  if (spelling === 'PLAIN' || spelling === 'OPENAI_CHAT') {
    return { role: 'ASSISTANT', content, toolCalls: plain }
  }
  const said: unknown[] = text === '' ? [] : [textBlock(spelling, text)]
  const called = calls.map((call, index) => callBlock(spelling, call, results[index]?.text ?? null))
  const parts = [thought(spelling), ...said, ...called]
  return {
    role: 'ASSISTANT',
    content,
    parts,
    partsFormat: spelling as PartsFormat,
    toolCalls: calls.length % 2 ? plain : [],
  }
}

function textBlock(spelling: Spelling, text: string): unknown {
  if (spelling !== 'OPENAI_RESPONSES') return { type: 'text', text }
  const content = [{ type: 'output_text', text, annotations: [] }]
  return { type: 'message', id: `msg_${text}`, role: 'assistant', status: 'completed', content }
}

function thought(spelling: Spelling): unknown {
  if (spelling === 'OPENAI_RESPONSES') return { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'e' }
  if (spelling === 'ANTHROPIC') return { type: 'thinking', thinking: 'Hm.', signature: 's==' }
  if (spelling === 'LANGCHAIN') return { type: 'reasoning', reasoning: 'Hm.' }
  return { type: 'reasoning', text: 'Hm.', providerMetadata: { anthropic: { signature: 's==' } } }
}

function callBlock(spelling: Spelling, { id, name, mark }: MadeCall, result: string | null): unknown {
  const input = { mark }
  if (spelling === 'OPENAI_RESPONSES') {
    return { type: 'function_call', id: `fc_${mark}`, call_id: id, name, arguments: JSON.stringify(input) }
  }
  if (spelling === 'ANTHROPIC') return { type: 'tool_use', id, name, input }
  if (spelling === 'LANGCHAIN') return { type: 'tool_call', id, name, args: input }
  const state = result === null ? { state: 'input-available' } : { state: 'output-available', output: result }
  return { type: `tool-${name}`, toolCallId: id, input, ...state }
}

function result(
  spelling: Spelling,
  id: string,
  name: string,
  text: string,
  words: string,
  isError: boolean,
): Partial<Message> {
  const partsFormat = spelling === 'PLAIN' ? null : spelling
  const tool = { role: 'TOOL', toolCallId: id, toolName: name, toolError: isError, partsFormat } as const
  switch (spelling) {
    case 'PLAIN':
    case 'OPENAI_CHAT':
      return { ...tool, partsFormat: null, content: text }
    case 'OPENAI_RESPONSES':
      return { ...tool, parts: [{ type: 'function_call_output', call_id: id, output: text }] }
    case 'LANGCHAIN':
      return { ...tool, content: text, parts: [{ type: 'text', text }] }
    case 'AI_SDK': {
      const output = { type: isError ? 'error-text' : 'text', value: text }
      return { ...tool, parts: [{ type: 'tool-result', toolCallId: id, toolName: name, output }] }
    }
    case 'ANTHROPIC': {
      const block = { type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text }], is_error: isError }
      const parts = words === '' ? [block] : [block, { type: 'text', text: words }]
      return { role: 'USER', content: words === '' ? null : words, parts, partsFormat: 'ANTHROPIC' }
    }
  }
}
