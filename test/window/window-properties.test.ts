import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/entities/message/message.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import type { Counted } from '../../src/window/items/spoken.ts'
import { interruptedTokens } from '../../src/window/rules/pairing.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { makeTranscript, seeded, storedMessage, type Told } from '../support/window/transcripts.ts'
import { type Exchange, readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)

/** All messages cost something, and not the same; one that nobody can read costs nothing. */
function count(message: Message): Counted {
  return { message, tokens: 1 + (message.seq % 4), reasoningTokens: message.seq % 3 }
}

function leadingOf(messages: readonly Message[]): Message[] {
  const end = messages.findIndex(
    ({ role, deletedAt }) => deletedAt === null && role !== 'SYSTEM' && role !== 'DEVELOPER',
  )
  return messages.slice(0, end === -1 ? messages.length : end).filter(({ deletedAt }) => deletedAt === null)
}

/** @returns null where even the newest turn does not fit */
function windowOf(
  messages: readonly Message[],
  format: ContextFormat,
  maxTokens: number,
  page = 7,
): ContextWindow | null {
  const leading = leadingOf(messages).map(count)
  const request = { format, maxTokens, reserve: 0, system: null, userMessage: null, cacheMarks: maxTokens % 5 }
  const builder = new WindowBuilder(request, leading)
  const left = messages.map(count).reverse()
  while (left.length > 0 && !builder.isFull) builder.add(left.splice(0, page))
  try {
    return builder.finish()
  } catch (error) {
    expect(error).toBeInstanceOf(ContextTooSmall)
    expect(error).toMatchObject({ limit: maxTokens })
    return null
  }
}

/** The exchanges that a window from `from` on must have: written down from the rule, without a thought of windows. */
function expectedExchanges(told: readonly Told[], from: number): (readonly [mark: string, text: string | null])[] {
  const calls: { id: string; mark: string; text: string | null; isOpen: boolean }[] = []
  for (const { message, events, begins } of told) {
    for (const event of events) {
      if (event.kind === 'call') calls.push({ id: event.id, mark: event.mark, text: null, isOpen: message.seq >= from })
      else if (event.kind === 'result') {
        const call = calls.findLast(
          ({ id, mark, isOpen, text }) => id === event.id && mark === (event.of ?? mark) && isOpen && text === null,
        )
        if (call && message.seq >= from) call.text = event.text
      } else if (begins) for (const call of calls) call.isOpen = false
    }
  }
  const fromCalls = new Set(told.filter(({ message }) => message.seq >= from).flatMap(({ events }) => events))
  return calls
    .filter(({ mark }) => [...fromCalls].some((event) => event.kind === 'call' && event.mark === mark))
    .map(({ mark, text }) => [mark, text] as const)
}

function summary(exchanges: readonly Exchange[]): (readonly [unknown, string | null])[] {
  return exchanges.map(({ input, output }) => {
    const { mark } = input as { mark: unknown }
    return [mark, output.startsWith('Interrupted') ? null : output] as const
  })
}

describe('windows of every size, in every format', () => {
  test.each(Array.from({ length: 50 }, (_, seed) => seed))('over transcript %i', async (seed) => {
    const told = makeTranscript(seed)
    const messages = told.map(({ message }) => message)
    const leading = new Set(leadingOf(messages))
    const all = messages.map(count).reduce((sum, { tokens, reasoningTokens }) => sum + tokens + reasoningTokens, 0)
    const most = all + told.flatMap(({ events }) => events).length * interruptedTokens + 1
    for (const format of formats) {
      let before: ContextWindow | null = null
      for (let maxTokens = 1; maxTokens <= most; maxTokens++) {
        const window = windowOf(messages, format, maxTokens, 1 + seeded(seed + maxTokens)(9))
        if (window === null) {
          expect(before, 'what fitted still fits').toBeNull()
          continue
        }
        expect(window.tokenCount).toBeLessThanOrEqual(maxTokens)
        const isLess = before?.included.some((message) => !window.included.includes(message)) ?? false
        expect(isLess, 'a bigger budget never gives less').toBe(false)
        if (before?.included.length === window.included.length && maxTokens !== most) continue
        before = window
        judgeRange(told, leading, window)
        expect(summary(readAsProvider(format, window))).toEqual(
          window.firstSeq === null ? [] : expectedExchanges(told, window.firstSeq),
        )
        if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
      }
      expect(before, 'all of it fits in the end').not.toBeNull()
      const begin = told.find(({ begins }) => begins)?.message.seq ?? null
      expect(before?.firstSeq).toBe(begin)
      expect(before?.reasons).not.toContain('BUDGET')
    }
  })
})

/** What is included is the leading messages and all from a word of the user on, but what says nothing or answers nothing. */
function judgeRange(told: readonly Told[], leading: ReadonlySet<Message>, window: ContextWindow): void {
  const included = new Set(window.included)
  for (const { message, begins, events, isSilent } of told) {
    if (message.seq === window.firstSeq) expect(begins).toBe(true)
    const isInRange = leading.has(message) || (window.firstSeq !== null && message.seq >= window.firstSeq)
    const isOrphan = events.length > 0 && events.every(({ kind }) => kind === 'result')
    if (isSilent || !isInRange) expect(included.has(message)).toBe(false)
    else if (!isOrphan) expect(included.has(message)).toBe(true)
  }
}

const data = new URL('../../../shared/data/agent-conversations.jsonl', import.meta.url)

describe.skipIf(!existsSync(data))(
  'windows over conversations of a real agent (../shared/data is not there otherwise)',
  () => {
    test.each(formats)('%s', async (format) => {
      for (const line of readFileSync(data, 'utf8').trim().split('\n')) {
        const messages = (JSON.parse(line) as { messages: ChatMessage[] }).messages.map(readChatMessage)
        const turns = messages.filter(({ role }) => role === 'USER').length
        const sizes = new Set<number | undefined>()
        for (let maxTokens = 1; maxTokens <= 6 * messages.length; maxTokens++) {
          const window = windowOf(messages, format, maxTokens)
          if (window === null || sizes.has(window.included.length)) continue
          sizes.add(window.included.length)
          readAsProvider(format, window)
          if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
        }
        expect(sizes.size).toBe(turns)
      }
    })
  },
)

interface ChatMessage {
  readonly role: string
  readonly content: string | null
  readonly name?: string
  readonly tool_call_id?: string
  readonly tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[]
}

function readChatMessage(
  { role, content, name, tool_call_id: callId, tool_calls: calls }: ChatMessage,
  index: number,
): Message {
  return storedMessage(index + 1, {
    role: role.toUpperCase() as Message['role'],
    content,
    toolName: name ?? null,
    toolCallId: callId ?? null,
    toolCalls: (calls ?? []).map(({ id, function: called }) => ({
      callId: id,
      ...called,
      type: 'function',
      extra: null,
    })),
  })
}
