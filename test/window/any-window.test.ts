import { describe, expect, test } from 'vitest'
import { ContextFormat, PendingCallRule, ReasoningContent } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import type { ContextWindow, WindowRequest } from '../../src/window/window.ts'
import { anyConversation, oneOfEach } from '../support/any-conversation.ts'
import { seeded } from '../support/transcripts.ts'
import { build, type Fields } from '../support/window.ts'
import { readAsProvider, readBySdk } from '../support/window-rules.ts'

const formats = Object.values(ContextFormat)
const count = Number(process.env.ANY_WINDOWS ?? 1_000)
const from = Number(process.env.ANY_FROM ?? 0)

async function judge(
  format: ContextFormat,
  fields: readonly Fields[],
  request: Partial<WindowRequest>,
  isExact: boolean,
) {
  let window: ContextWindow
  try {
    window = build(format, fields, request)
  } catch (error) {
    if (error instanceof ContextTooSmall) return null
    throw error
  }
  readAsProvider(format, window, { waits: request.pendingCalls === 'KEEP', pauses: true, isExact })
  if ((format === 'AI_SDK' || format === 'AI_SDK_MODEL') && request.pendingCalls !== 'KEEP')
    await readBySdk(format, window)
  return window
}

describe.each([false, true])('damaged: %s', (isDamaged) => {
  test('conversations', async () => {
    const faults = new Map<string, { seed: string; times: number; more: string }>()
    for (let seed = from; seed < from + count; seed++) {
      const fields = anyConversation(seed, { isDamaged })
      const next = seeded(seed)
      for (const format of formats) {
        const request: Partial<WindowRequest> = {
          pendingCalls: Object.values(PendingCallRule)[next(3)] as PendingCallRule,
          reasoningContent: Object.values(ReasoningContent)[next(3)] as ReasoningContent,
          cacheMarks: next(5),
          maxImages: [null, null, 0, 1, 3][next(5)] as number | null,
          maxTokens: next(3) ? 1_000_000 : 20 + next(200),
        }
        try {
          await judge(format, fields, request, !isDamaged)
        } catch (error) {
          const text = error instanceof Error ? error.message : String(error)
          const key = `${format} ${text.split(': ')[0]?.slice(0, 200)}`
          const known = faults.get(key)
          faults.set(
            key,
            known
              ? { ...known, times: known.times + 1 }
              : {
                  seed: `${seed} ${JSON.stringify(request)}`,
                  times: 1,
                  more: text.startsWith('Type val')
                    ? text.slice(text.indexOf('Error message')).slice(0, 300)
                    : text.slice(0, 400),
                },
          )
        }
      }
    }
    const list = [...faults].sort((a, b) => b[1].times - a[1].times)
    console.log(list.map(([key, { seed, times, more }]) => `${times} × ${key}\n      ${seed} ${more}`).join('\n'))
    expect(faults.size).toBe(0)
  }, 1_000_000)
})

describe('what is stored is in the window, or a reason says why not', () => {
  test('one part of each kind', () => {
    const faults = new Map<string, string>()
    for (let seed = 0; seed < 40; seed++) {
      for (const role of ['ASSISTANT', 'USER', 'TOOL', 'SYSTEM'] as const) {
        for (const { type, format: own, fields } of oneOfEach(seed, role)) {
          for (const format of formats) {
            const window = build(format, fields)
            const out = JSON.stringify([window.system, window.messages])
            const lost = marksOf(fields.map(({ parts }) => parts)).filter(
              ({ mark, path }) =>
                !out.includes(mark) &&
                !besideWords.test(path) &&
                (own === format || !/^(reasoning|thinking)$/.test(type)),
            )
            if (lost.length > 0 && window.reasons.length === 0 && !/plain|^file$/.test(type)) {
              const key = `${role} ${own} ${type} → ${format}`
              faults.set(key, `${faults.get(key) ?? seed} ${lost.map(({ path }) => path).join(' ')}`)
            }
          }
        }
      }
    }
    console.log([...faults].map(([key, paths]) => `${key}: ${[...new Set(paths.split(' '))].join(' ')}`).join('\n'))
    expect(faults.size).toBe(0)
  }, 1_000_000)
})

/** What stands beside words, calls and files. Texts of files go out in base64. */
const besideWords =
  /annotations|citations|logprobs|etadata|extras|providerOptions|approval|rawInput|toolset_name|namespace|\.(index|error|originalUrl|title|context|data\.text)$/

function marksOf(value: unknown, path = ''): { readonly mark: string; readonly path: string }[] {
  if (typeof value === 'string') {
    return (value.match(/mark\d+x\d+e/g) ?? []).map((mark) => ({ mark, path: path.replace(/\.\d+/g, '') }))
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => marksOf(inner, `${path}.${key}`))
}
