import { describe, expect, test } from 'vitest'
import { ContextFormat, PendingCallRule, ReasoningContent } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import type { ContextWindow, WindowRequest } from '../../src/window/window.ts'
import { anyConversation, anyQuestion, oneOfEach } from '../support/window/any-conversation.ts'
import { seeded } from '../support/window/transcripts.ts'
import { build, type Fields } from '../support/window/window.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)
/** `ANY_WINDOWS=20000 npx vitest run any-window` tries more of them, `ANY_FROM` others. */
const count = Number(process.env.ANY_WINDOWS ?? 200)
const from = Number(process.env.ANY_FROM ?? 0)

/** null where even the newest turn does not fit. */
function fitted(
  format: ContextFormat,
  fields: readonly Fields[],
  request: Partial<WindowRequest>,
): ContextWindow | null {
  try {
    return build(format, fields, request)
  } catch (error) {
    expect(error).toBeInstanceOf(ContextTooSmall)
    return null
  }
}

async function judge(format: ContextFormat, fields: readonly Fields[], seed: number, isExact: boolean): Promise<void> {
  const next = seeded(seed)
  const request: Partial<WindowRequest> = {
    pendingCalls: Object.values(PendingCallRule)[next(3)] as PendingCallRule,
    reasoningContent: Object.values(ReasoningContent)[next(3)] as ReasoningContent,
    cacheMarks: next(5),
    maxImages: [null, null, 0, 1, 3][next(5)] as number | null,
    maxTokens: next(3) ? 1_000_000 : 20 + next(200),
    userMessage: next(4) ? null : { message: anyQuestion(seed), tokens: 10, reasoningTokens: 5 },
  }
  const window = fitted(format, fields, request)
  if (window === null) return
  const isOpen = request.userMessage === null
  readAsProvider(format, window, { waits: isOpen && request.pendingCalls === 'KEEP', pauses: isOpen, isExact })
  const isSdk = format === 'AI_SDK' || format === 'AI_SDK_MODEL'
  if (isSdk && request.pendingCalls !== 'KEEP') await readBySdk(format, window)
  if (next(4) > 0) return
  expect(build(format, fields, request), 'the same messages give the same window').toEqual(window)
  const more = build(format, fields, { ...request, maxTokens: 2 * (request.maxTokens ?? 0) })
  const isLess = window.included.some(({ seq }) => !more.included.some((message) => message.seq === seq))
  expect(isLess, 'a greater budget never gives less').toBe(false)
}

/** The conversation without the messages that it does not need to fail. */
async function shrink(fields: readonly Fields[], fails: (fields: readonly Fields[]) => Promise<boolean>) {
  let left = fields
  for (let at = 0; at < left.length; ) {
    const fewer = left.toSpliced(at, 1)
    if (await fails(fewer)) left = fewer
    else at++
  }
  return left
}

describe.each([
  { name: 'with parts of every kind that the types of the SDKs know', isDamaged: false },
  { name: 'with damaged parts', isDamaged: true },
])('$name, every window is valid', ({ isDamaged }) => {
  test.each(formats)('%s', { timeout: 3_600_000 }, async (format) => {
    for (let seed = from; seed < from + count; seed++) {
      const fields = anyConversation(seed, { isDamaged })
      const fault = (tried: readonly Fields[]) =>
        judge(format, tried, seed, !isDamaged).then(
          () => null,
          (error: Error) => error,
        )
      const error = await fault(fields)
      if (error === null) continue
      const smallest = await shrink(
        fields,
        async (fewer) => (await fault(fewer))?.message.split(':')[0] === error.message.split(':')[0],
      )
      throw new Error(`Conversation ${seed}: ${error.message}\n${JSON.stringify(smallest, null, 1)}`, { cause: error })
    }
  })
})

test('a window of a longer conversation begins as the window before', () => {
  for (let seed = from; seed < from + count; seed++) {
    const fields = anyConversation(seed, { isDamaged: false })
    const end = fields.findLastIndex(
      ({ role, content, status }) => role === 'USER' && content && status !== 'STREAMING',
    )
    for (const format of formats) {
      const shorter = build(format, [...fields.slice(0, end), { role: 'USER', content: 'Next.' }])
      const longer = build(format, [...fields.slice(0, end), { role: 'USER', content: 'Next.' }, ...fields.slice(end)])
      const [before, after] = [shorter, longer].map(({ messages }) => JSON.stringify(messages).slice(1, -1))
      const part = format === 'ANTHROPIC' ? before?.slice(0, before.lastIndexOf('"Next."')) : before
      expect(after?.startsWith(part ?? ''), `${format} ${seed}`).toBe(true)
    }
  }
})

describe('what is stored is in the window, or a reason says why not', () => {
  test('one part of each kind', () => {
    for (let seed = from; seed < from + Math.ceil(count / 40); seed++) {
      for (const role of ['ASSISTANT', 'USER', 'TOOL', 'SYSTEM'] as const) {
        for (const { type, format: own, fields } of oneOfEach(seed, role)) {
          for (const format of formats) {
            const window = build(format, fields)
            if (window.reasons.length > 0) continue
            const out = JSON.stringify([window.system, window.messages])
            const isSilent = (path: string) =>
              besideWords.test(path) || inBase64.test(type) || (own !== format && /^(reasoning|thinking)$/.test(type))
            const lost = marksOf(fields.map(({ parts }) => parts)).filter(
              ({ mark, path }) => !out.includes(mark) && !isSilent(path),
            )
            expect(lost, `${seed}: ${type} of ${own} in ${format}`).toEqual([])
          }
        }
      }
    }
  })
})

/** Texts of files go out in base64. */
const inBase64 = /plain|^file$/

/** What stands beside words, calls and files. */
const besideWords =
  /annotations|citations|logprobs|etadata|extras|providerOptions|approval|rawInput|toolset_name|namespace|\.(index|error|originalUrl|title|context|data\.text)$/

function marksOf(value: unknown, path = ''): { readonly mark: string; readonly path: string }[] {
  if (typeof value === 'string') {
    return (value.match(/mark\d+x\d+e/g) ?? []).map((mark) => ({ mark, path: path.replace(/\.\d+/g, '') }))
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => marksOf(inner, `${path}.${key}`))
}
