import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import o200k from 'gpt-tokenizer/encoding/o200k_base'
import { beforeAll, describe, expect, test } from 'vitest'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { useBed } from '../support/bed.ts'
import { buildPrograms, Program } from '../support/program/program.ts'
import { type Exchange, readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const path = fileURLToPath(new URL('../../../shared/data/agent-conversations.jsonl', import.meta.url))
const formats = Object.values(ContextFormat)
const perMessage = 4
const perCall = 4

interface ChatMessage {
  readonly role: string
  readonly content: string | null
  readonly tool_call_id?: string
  readonly tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[]
}

interface Transcript {
  readonly id: string
  readonly messages: readonly ChatMessage[]
}

describe.skipIf(!existsSync(path))(
  'conversations of a real agent, imported (../shared/data is not there otherwise)',
  () => {
    const bed = useBed()
    const transcripts: Transcript[] = []

    beforeAll(async () => {
      buildPrograms()
      for (const line of readFileSync(path, 'utf8').trim().split('\n')) transcripts.push(JSON.parse(line))
      const env = { COLLOQUY_URL: `${bed.server.url}/graphql`, COLLOQUY_USER: 'ada' }
      await using program = new Program('src/main.js', ['import', path], env)
      expect(await program.exited, program.stderr).toEqual({ code: 0, signal: null })
    })

    test.each(formats)('give a window valid for its provider at every budget: %s', async (format) => {
      let refusals = 0
      for (const { id, messages } of transcripts) {
        for (let maxTokens = 500, isWhole = false; !isWhole; maxTokens *= 2) {
          const asked = await read(id, format, maxTokens)
          if (asked.needed !== null) {
            refusals += 1
            expect(asked.needed).toBeGreaterThan(maxTokens)
            const least = await readWindow(id, format, asked.needed)
            expect(least.tokenCount).toBe(asked.needed)
            await judge(messages, format, least)
            expect((await read(id, format, asked.needed - 1)).needed).toBe(asked.needed)
            continue
          }
          expect(asked.window.tokenCount).toBeLessThanOrEqual(maxTokens)
          await judge(messages, format, asked.window)
          isWhole = !asked.window.omitted.reasons.includes('BUDGET')
          if (!isWhole) continue
          expect(asked.window.lastSeq).toBe(messages.length)
          expect(exchangesOf(messages, asked.window.firstSeq)).toEqual(exchangesOf(messages, 1))
        }
      }
      expect(refusals, 'the instructions alone have more than 500 tokens').toBeGreaterThan(0)
    })

    test('repeat call ids, and each call has its own result, under an id of its own where the provider wants that', async () => {
      const repeats = transcripts.flatMap(({ messages }) => {
        const ids = callsOf(messages).map((call) => call.id)
        return ids.length - new Set(ids).size
      })
      expect(repeats.reduce((sum, count) => sum + count, 0)).toBe(26)
      for (const [index, { id, messages }] of transcripts.entries()) {
        if (repeats[index] === 0) continue
        for (const format of formats) {
          const { messages: written } = await readWindow(id, format, 1_000_000)
          const ids = written.flatMap((message) => idsOfCalls(format, message))
          const stored = callsOf(messages).map((call) => call.id)
          expect(ids).toHaveLength(stored.length)
          if (format === 'OPENAI_CHAT') expect(ids).toEqual(stored)
          else expect(new Set(ids).size).toBe(ids.length)
        }
      }
    })

    interface Window {
      readonly system: unknown
      readonly messages: Record<string, unknown>[]
      readonly tokenCount: number
      readonly included: number
      readonly firstSeq: number | null
      readonly lastSeq: number | null
      readonly omitted: { readonly messages: number; readonly reasons: string[] }
    }

    type Asked = { readonly window: Window; readonly needed: null } | { readonly window: null; readonly needed: number }

    async function read(id: string, format: ContextFormat, maxTokens: number): Promise<Asked> {
      const query = `query ($id: ID!, $format: ContextFormat!, $maxTokens: Int!) { conversation(id: $id) {
        context(maxTokens: $maxTokens, format: $format) {
          system messages tokenCount included firstSeq lastSeq omitted { messages reasons }
        }
      } }`
      const { data, errors } = await bed.server.as().ask(query, { id, format, maxTokens })
      if (errors === undefined) return { window: data.conversation.context, needed: null }
      expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'CONTEXT_TOO_SMALL' })
      return { window: null, needed: errors[0]?.extensions.needed as number }
    }

    async function readWindow(id: string, format: ContextFormat, maxTokens: number): Promise<Window> {
      const { window } = await read(id, format, maxTokens)
      if (window === null) throw new Error(`${maxTokens} tokens were refused`)
      return window
    }

    /** Reads a window as its provider does: it holds all that was said from a word of the user on, and counts what it says. */
    async function judge(messages: readonly ChatMessage[], format: ContextFormat, window: Window): Promise<void> {
      const exchanges = readAsProvider(format, window)
      if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
      expect(exchanges).toEqual(exchangesOf(messages, window.firstSeq))
      const from = window.firstSeq ?? messages.length + 1
      expect(messages[from - 1]?.role).toBe('user')
      const held = messages.filter(({ role }, index) => role === 'system' || index + 1 >= from)
      expect(window.included).toBe(held.length)
      expect(window.included + window.omitted.messages).toBe(messages.length)
      expect(window.tokenCount).toBe(held.reduce((sum, message) => sum + tokensOf(message), 0))
    }
  },
)

function callsOf(messages: readonly ChatMessage[]) {
  return messages.flatMap(({ tool_calls: calls }) => calls ?? [])
}

/** In these transcripts every call is answered by the next message. */
function exchangesOf(messages: readonly ChatMessage[], from: number | null): Exchange[] {
  return messages.flatMap(({ tool_calls: calls }, index) => {
    if (calls === undefined || from === null || index + 1 < from) return []
    const [call] = calls
    const answer = messages[index + 1]
    if (call === undefined || calls.length > 1 || answer?.tool_call_id !== call.id) throw new Error('another file')
    return { name: call.function.name, input: JSON.parse(call.function.arguments), output: answer.content ?? '' }
  })
}

/** As docs/agents.md says that a message counts. */
function tokensOf({ content, tool_calls: calls }: ChatMessage): number {
  const texts = [content ?? '', ...(calls ?? []).flatMap((call) => [call.function.name, call.function.arguments])]
  const said = texts.reduce((sum, text) => sum + o200k.encode(text).length, 0)
  return said + perMessage + perCall * (calls ?? []).length
}

/** The ids of calls in one message or item, as each format has them. */
function idsOfCalls(format: ContextFormat, message: Record<string, unknown>): unknown[] {
  const list = (field: string) => (message[field] ?? []) as Record<string, unknown>[]
  switch (format) {
    case 'OPENAI_CHAT':
      return list('tool_calls').map(({ id }) => id)
    case 'OPENAI_RESPONSES':
      return message.type === 'function_call' ? [message.call_id] : []
    case 'ANTHROPIC':
      return list('content').flatMap(({ type, id }) => (type === 'tool_use' ? [id] : []))
    case 'AI_SDK':
      return list('parts').flatMap(({ toolCallId }) => toolCallId ?? [])
    case 'AI_SDK_MODEL':
      return list('content').flatMap(({ type, toolCallId }) => (type === 'tool-call' ? [toolCallId] : []))
  }
}
