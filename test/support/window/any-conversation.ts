import * as langchain from '@langchain/core/messages'
import type { Message } from '../../../src/entities/message/message.ts'
import type { MessageStatus, PartsFormat } from '../../../src/entities/message/message-enums.ts'
import { bytesOf } from './file-parts.ts'
import { make, type Next, places, type Words } from './sdk-parts.ts'
import { alternatives, type Shape, typeOf } from './sdk-types.ts'
import { seeded, storedMessage } from './transcripts.ts'

type Fields = Partial<Message>
type Part = Readonly<Record<string, unknown>>

/** All parts that a message of each format may have, by the types of the SDKs. */
const kinds: Readonly<Record<Exclude<PartsFormat, 'OTHER'>, readonly Shape[]>> = {
  OPENAI_RESPONSES: [...alternatives(places.OPENAI_RESPONSES), ...alternatives(places.OPENAI_RESPONSES_CONTENT)],
  OPENAI_CHAT: [...alternatives(places.OPENAI_CHAT_CONTENT), ...alternatives(places.OPENAI_CHAT_CALL)],
  ANTHROPIC: alternatives(places.ANTHROPIC),
  AI_SDK: [...alternatives(places.AI_SDK), ...alternatives(places.AI_SDK_MODEL_PART)],
  LANGCHAIN: alternatives(places.LANGCHAIN),
}
const formats = Object.keys(kinds) as (keyof typeof kinds)[]

const toolNames = ['look', 'calendar.listEvents', 'files/read', 'datei öffnen', 'x'.repeat(200), 'a b']
const oddIds = ['with space', 'long_'.repeat(20), 'äöü', '', 'call_1', 'call_1']
const addresses = [
  'https://example.com/a.png',
  'HTTPS://example.com/b.jpg',
  'blob:https://example.com/1',
  'gs://bucket/c.png',
  '/relative.png',
  'file:///etc/x.png',
  `data:image/png;base64,${bytesOf['image/png']}`,
  `data:image/svg+xml;base64,${bytesOf['image/svg+xml']}`,
  'data:image/png;base64,not base64!',
  'https://user:secret@example.com/d.png',
  'https://example.com/e.pdf',
  '',
]

export interface Wish {
  /** Parts that are damaged: fields are missing, or hold what they should not. */
  readonly isDamaged: boolean
}

/** A conversation with parts of every kind, at every place, each well made by itself unless they are to be damaged. */
export function anyConversation(seed: number, { isDamaged }: Wish): Fields[] {
  const next = seeded(seed * 2 + (isDamaged ? 1 : 0))
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T
  const usual = pick(formats)
  const fields: Fields[] = []
  /** Parts that answer calls, and wait for their message. */
  let answers: { readonly own: keyof typeof kinds; readonly part: Part }[] = []
  let [count, calls] = [0, 0]
  let callerId = 'lost'
  const words = (): Words => {
    const number = ++calls
    return {
      mark: () => (next(25) === 0 ? '' : next(40) === 0 ? '  ' : `mark${seed}x${++count}e`),
      callId: next(12) === 0 ? pick(oddIds) : `c${number}`,
      callerId,
      id: next(12) === 0 ? pick(['rs_1', 'fc_1', 'msg_1']) : `id_${number}`,
      toolName: next(3) === 0 ? pick(toolNames) : 'look',
      address: pick(addresses),
      base64: next(8) === 0 ? 'not base64!' : (bytesOf[pick(Object.keys(bytesOf))] as string),
    }
  }
  const makePart = (shape: Shape, given: Words): Part => {
    const block = make(shape, next, given) as Part
    const made = kinds.LANGCHAIN.includes(shape) && next(4) === 0 ? wholeMessage([block], next, given) : block
    // Items of different types never have one id.
    const part = /^[a-z]+_1$/.test(String(made.id)) ? { ...made, id: `${made.type}_1` } : made
    return isDamaged && next(4) === 0 ? damage(part, next) : part
  }
  const say = (role: Message['role'], more: Fields) => {
    const status: MessageStatus = (['FAILED', 'CANCELLED', 'STREAMING'] as const)[next(30)] ?? 'COMPLETE'
    fields.push({ role, status, finishReason: next(4) ? 'stop' : 'pause_turn', ...more })
  }
  const sayParts = (role: Message['role'], partsFormat: keyof typeof kinds, parts: Part[], more: Fields = {}) => {
    if (parts.length > 0) say(role, { parts, partsFormat, ...more })
  }
  const takeAnswers = () => {
    const taken = answers.filter(() => next(6) > 0)
    answers = answers.filter((answer) => !taken.includes(answer) || next(15) === 0)
    return taken
  }
  for (let i = next(3); i > 0; i--)
    fields.push({ role: pick(['SYSTEM', 'DEVELOPER']), content: `mark${seed}x${++count}e` })
  for (let n = 3 + next(8); n > 0; n--) {
    const format = next(6) ? usual : pick(formats)
    const choice = next(10)
    if (choice === 0 || fields.every(({ role }) => role !== 'USER')) {
      fields.push({ role: 'USER', content: next(10) ? `mark${seed}x${++count}e` : '' })
    } else if (choice < 3) {
      const parts = Array.from({ length: 1 + next(3) }, () => makePart(pick(kinds[format]), words()))
      sayParts(
        next(6) ? 'USER' : pick(['SYSTEM', 'DEVELOPER', 'TOOL']),
        format,
        parts,
        next(2) ? { toolCallId: 'c1' } : {},
      )
    } else if (choice < 6) {
      for (const { own, part } of takeAnswers()) {
        if (own === 'ANTHROPIC' || next(3) === 0)
          sayParts(pick(['USER', 'TOOL', 'ASSISTANT']), own, [part], { toolCallId: 'c1' })
        else sayParts('TOOL', own, [part], { toolCallId: callIdOf(part) ?? 'c1' })
      }
    } else if (choice === 6 && fields.length > 2) fields.push({ ...(pick(fields) as Fields) })
    else {
      const parts: Part[] = []
      for (let i = 1 + next(4); i > 0; i--) {
        const given = words()
        const part = makePart(pick(kinds[format]), given)
        parts.push(part)
        if (part.type === 'program' || part.type === 'server_tool_use') callerId = given.callId
        const answer = answerTo(format, part, (shape) => makePart(shape, { ...words(), callId: given.callId }))
        if (answer === null || next(8) === 0) continue
        if (next(3) === 0) parts.push(answer)
        else answers.push({ own: format, part: answer })
      }
      const isBeside = next(6) === 0
      const toolCalls = isBeside
        ? [
            {
              callId: `c${++calls}`,
              name: pick(toolNames),
              arguments: pick(['{"said":1}', '', 'no json', '[]']),
              type: pick(['function', 'custom', 'odd']),
              extra: null,
            },
          ]
        : []
      sayParts('ASSISTANT', format, parts, { toolCalls, content: next(3) ? null : `mark${seed}x${++count}e` })
      if (isBeside && next(3))
        say('TOOL', { toolCallId: `c${calls}`, content: `mark${seed}x${++count}e`, toolError: next(3) === 0 })
    }
  }
  return fields
}

/** A message of the user that is not stored yet, from another conversation. */
export function anyQuestion(seed: number): Message {
  const asked = anyConversation(seed + 1_000_000, { isDamaged: false }).findLast(({ role }) => role === 'USER')
  const text = { type: asked?.partsFormat === 'OPENAI_RESPONSES' ? 'input_text' : 'text', text: 'Next.' }
  const parts = asked?.parts ? [text, ...asked.parts] : null
  return storedMessage(1_000, { ...asked, clientId: 'new', content: 'Next.', parts, status: 'COMPLETE' })
}

/**
 * A conversation with one part, in a message of this role, and its answer if it is a call; for every kind of part.
 */
export function oneOfEach(
  seed: number,
  role: Message['role'],
): { readonly type: string; readonly format: PartsFormat; readonly fields: Fields[] }[] {
  const next = seeded(seed)
  let count = 0
  const words: Words = {
    mark: () => `mark${seed}x${++count}e`,
    callId: 'c1',
    callerId: 'lost',
    id: 'id_1',
    toolName: 'look',
    address: 'https://example.com/a.png',
    base64: bytesOf['image/png'] as string,
  }
  return formats.flatMap((format) =>
    kinds[format].map((shape) => {
      const part = make(shape, next, words) as Part
      const answers = Array.from({ length: 1 + next(2) }, (_, n) => {
        return answerTo(format, part, (other) => make(other, next, { ...words, id: `id_${n}` }) as Part) ?? []
      }).flat()
      const status = next(4) ? 'COMPLETE' : 'FAILED'
      const beside = { type: format === 'OPENAI_RESPONSES' ? 'input_text' : 'text', text: words.mark() }
      const around = [[part], [part, beside], [beside, part], [part, { ...part, id: 'id_9' }]][next(4)]
      const words2 = next(3) ? [] : [{ ...beside, text: words.mark() }]
      const fields: Fields[] = [
        { role: 'USER', content: 'Go.' },
        { role, parts: around ?? [], partsFormat: format, status, ...(role === 'TOOL' ? { toolCallId: 'c0' } : {}) },
        ...answers.map((answer) => {
          return { role: 'TOOL' as const, toolCallId: 'c1', parts: [answer, ...words2], partsFormat: format }
        }),
        { role: 'ASSISTANT', content: 'Done.' },
        { role: 'USER', content: 'Go on.' },
      ]
      return { type: String(part.type ?? part.role), format, fields }
    }),
  )
}

function callIdOf(part: Part): string | null {
  const id = part.call_id ?? part.tool_use_id ?? part.toolCallId ?? part.approval_request_id ?? part.tool_call_id
  return typeof id === 'string' ? id : null
}

/** The part that answers a call; null for parts that are no calls. */
function answerTo(format: keyof typeof kinds, part: Part, makeOf: (shape: Shape) => Part): Part | null {
  const ofType = (type: string | undefined) => {
    const shape = kinds[format].find((one) => typeOf(one) === type)
    return shape === undefined ? null : makeOf(shape)
  }
  const type = String(part.type)
  switch (format) {
    case 'OPENAI_RESPONSES': {
      const made = ofType(
        type === 'tool_search_call'
          ? 'tool_search_output'
          : type.endsWith('_request')
            ? type.replace('request', 'response')
            : `${type}_output`,
      )
      return made === null || type.endsWith('_request') === false ? made : { ...made, approval_request_id: part.id }
    }
    case 'ANTHROPIC': {
      const server = String(part.name).startsWith('tool_search')
        ? 'tool_search_tool_result'
        : `${part.name}_tool_result`
      const made = ofType(
        type === 'tool_use'
          ? 'tool_result'
          : type === 'mcp_tool_use'
            ? 'mcp_tool_result'
            : type === 'server_tool_use'
              ? server
              : undefined,
      )
      return made === null ? null : { ...made, tool_use_id: part.id }
    }
    case 'AI_SDK': {
      const made = ofType(
        type === 'tool-call' ? 'tool-result' : type === 'tool-approval-request' ? 'tool-approval-response' : undefined,
      )
      return made === null
        ? null
        : { ...made, ...(type === 'tool-call' ? { toolCallId: part.toolCallId } : { approvalId: part.approvalId }) }
    }
    case 'OPENAI_CHAT':
      return null
    case 'LANGCHAIN':
      return callIdsIn(part).map((id) => ({ type: 'tool', content: 'answered', tool_call_id: id }))[0] ?? null
  }
}

const langchainMessages = [
  langchain.HumanMessage,
  langchain.HumanMessageChunk,
  langchain.AIMessage,
  langchain.AIMessageChunk,
  langchain.SystemMessage,
  langchain.SystemMessageChunk,
  langchain.ToolMessage,
  langchain.ToolMessageChunk,
  langchain.FunctionMessage,
  langchain.FunctionMessageChunk,
  langchain.ChatMessage,
  langchain.ChatMessageChunk,
  langchain.RemoveMessage,
] as unknown as readonly (new (
  fields: Part,
) => langchain.BaseMessage)[]

/** A message of any class of LangChain, as `toDict` or `toJSON` writes it, or as it is sent. */
function wholeMessage(blocks: readonly Part[], next: Next, { callId, id, toolName, mark }: Words): Part {
  const Class = langchainMessages[next(langchainMessages.length)] as (typeof langchainMessages)[number]
  const call = { type: 'tool_call', id: callId, name: toolName, args: { said: mark() } }
  const isCalling = /^AI/.test(Class.name) && next(2) === 0
  const fields = {
    id,
    content: next(2) ? mark() : blocks,
    tool_call_id: callId,
    name: toolName,
    role: ['user', 'assistant', 'critic'][next(3)],
    ...(isCalling ? { tool_calls: [call] } : {}),
  }
  const message = new Class(structuredClone(fields))
  const sent = { ...fields, type: message.getType() }
  return JSON.parse(JSON.stringify([message.toDict(), message, sent][next(3)])) as Part
}

function callIdsIn(part: Part): unknown[] {
  if (/^(tool_call|tool_use|invalid_tool_call)$/.test(String(part.type))) return [part.id]
  const lists = [part, part.data, part.kwargs].flatMap((data) => (isPart(data) ? (data.tool_calls ?? []) : []))
  return (lists as Part[]).map(({ id }) => id)
}

/** A part in which one thing, at any depth, is missing, null, empty, of another type, or new. */
function damage(part: Part, next: Next): Part {
  // Searches of the provider have no ids: which one a damaged part belongs to cannot be told.
  if (String(part.type).startsWith('tool_search_')) return part
  const keys = Object.keys(part)
  const key = keys[next(keys.length)]
  if (key === undefined) return part
  const inner = part[key]
  if (typeof inner === 'object' && inner !== null && next(2)) {
    const damaged = Array.isArray(inner)
      ? inner.map((one) => (isPart(one) && next(2) ? damage(one, next) : one))
      : damage(inner as Part, next)
    return { ...part, [key]: damaged }
  }
  const { [key]: _, ...others } = part
  if (key === 'type') return next(2) ? others : { ...part, type: [null, '', 7, {}][next(4)] }
  const values = [null, '', 7, {}, [], ['x'], 'x', true, 1e300]
  return next(3) ? { ...part, [key]: values[next(values.length)] } : others
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
