import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/entities/message/message.ts'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import { readCountable } from '../../src/window/entries/countable.ts'
import type { Counted } from '../../src/window/items/spoken.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { seeded, storedMessage } from '../support/window/transcripts.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)
const leftOut = '[picture left out]'

function count(message: Message): Counted {
  const { calls, files } = readCountable(message)
  return { message, tokens: 4 + 4 * calls + 1_000 * files, reasoningTokens: 0 }
}

interface Limits {
  readonly maxImages?: number | null
  readonly maxTokens?: number
  readonly page?: number
}

/** @returns null where even the newest turn does not fit */
function build(format: ContextFormat, messages: readonly Message[], limits: Limits = {}): ContextWindow | null {
  const { maxImages = null, maxTokens = 10_000_000, page = 5 } = limits
  const builder = new WindowBuilder({ format, maxTokens, reserve: 0, maxImages, system: null, userMessage: null }, [])
  const left = messages.map(count).reverse()
  while (left.length > 0 && !builder.isFull) builder.add(left.splice(0, page))
  try {
    return builder.finish()
  } catch (error) {
    expect(error).toBeInstanceOf(ContextTooSmall)
    return null
  }
}

async function buildValid(format: ContextFormat, messages: readonly Message[], limits?: Limits) {
  const window = build(format, messages, limits) as ContextWindow
  readAsProvider(format, window)
  if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
  return window
}

/** The numbers of the pictures that a window shows, oldest first. */
function picturesIn(value: unknown): number[] {
  return [...JSON.stringify(value).matchAll(/example\.com\/(\d+)\.png/g)].map(([, number]) => Number(number))
}

function countLeftOut(value: unknown): number {
  return JSON.stringify(value).split(leftOut).length - 1
}

const places = {
  OPENAI_CHAT: (url: string) => ({ type: 'image_url', image_url: { url } }),
  OPENAI_RESPONSES: (url: string) => ({ type: 'input_image', image_url: url, detail: 'auto' }),
  ANTHROPIC: (url: string) => ({ type: 'image', source: { type: 'url', url } }),
  AI_SDK: (url: string) => ({ type: 'file', mediaType: 'image/png', url }),
  LANGCHAIN: (url: string) => ({ type: 'image', url }),
} satisfies Partial<Record<PartsFormat, (url: string) => object>>
const dialects = Object.keys(places) as (keyof typeof places)[]

interface Told {
  readonly message: Message
  /** The pictures that the user shows, and those of results. */
  readonly shown: readonly number[]
  readonly answered: readonly number[]
  readonly begins: boolean
}

/** A conversation with pictures of the user and of results, some of them alone in their message. */
function tellPictures(seed: number): Told[] {
  const next = seeded(seed)
  const told: Told[] = []
  let picture = 0
  const tell = (fields: Partial<Message>, more: Partial<Told> = {}) => {
    const message = storedMessage(told.length + 1, fields)
    told.push({ message, shown: [], answered: [], begins: fields.role === 'USER', ...more })
  }
  const draw = (format: keyof typeof places) => {
    const numbers = Array.from({ length: 1 + next(3) }, () => picture++)
    return { numbers, parts: numbers.map((number) => places[format](`https://example.com/${number}.png`)) }
  }
  while (told.length < 8 + next(24)) {
    const format = dialects[next(dialects.length)] as keyof typeof places
    const { numbers, parts } = next(4) === 0 ? { numbers: [], parts: [] } : draw(format)
    const words = { type: format === 'OPENAI_RESPONSES' ? 'input_text' : 'text', text: `Look at ${told.length}.` }
    const said: unknown[] = next(2) || parts.length === 0 ? [...parts, words] : parts
    const isWhole = format === 'OPENAI_RESPONSES' && next(2) === 0
    const content = isWhole ? [{ type: 'message', role: 'user', content: said }] : said
    tell({ role: 'USER', parts: content, partsFormat: format }, { shown: numbers })
    for (let calls = next(3); calls > 0; calls--) {
      const callId = `call_${told.length}`
      tell({
        role: 'ASSISTANT',
        toolCalls: [{ callId, name: 'look', arguments: '{}', type: 'function', extra: null }],
      })
      const screen = draw('ANTHROPIC')
      const answer = { type: 'tool_result', tool_use_id: callId, content: screen.parts }
      tell(
        { role: 'TOOL', toolCallId: callId, parts: [answer], partsFormat: 'ANTHROPIC' },
        { answered: screen.numbers },
      )
    }
    tell({ role: 'ASSISTANT', content: 'I see.' })
  }
  return told
}

const seeds = Array.from({ length: 20 }, (_, seed) => seed)

describe('of too many pictures the newest stay, in every format', () => {
  test.each(seeds)('in conversation %i', async (seed) => {
    const told = tellPictures(seed)
    const messages = told.map(({ message }) => message)
    for (const format of formats) {
      const hasAnswers = format !== 'OPENAI_CHAT' && format !== 'AI_SDK'
      const all = told.flatMap(({ shown, answered }) => [...shown, ...(hasAnswers ? answered : [])])
      for (const maxImages of [0, 1, 2, 3, 4, 7, 8, 13, 1_000, null]) {
        const window = await buildValid(format, messages, { maxImages })
        const most = maxImages ?? 1_000
        const kept = picturesIn(window.messages)
        const missing = all.length - kept.length
        expect(kept).toEqual(all.slice(missing))
        expect(kept.length).toBeLessThanOrEqual(most)
        expect(window.reasons.includes('IMAGE_LIMIT')).toBe(missing > 0)
        expect(countLeftOut(window.messages)).toBe(missing)
        const block = Math.max(Math.floor(most / 4), 1)
        if (all.length <= most) expect(missing).toBe(0)
        else if (most > 0) expect(kept.length).toBeGreaterThan(most - block)
        const whole = messages.map(count).reduce((sum, { tokens }) => sum + tokens, 0)
        expect(window.tokenCount, 'a picture that is left out counts as its words do').toBe(whole - missing * 995)
        expect(window.included).toEqual(messages)
      }
    }
  })

  test('also in a window of many tokens less: what fitted still fits, and what is asked for is enough', () => {
    for (const seed of seeds) {
      const told = tellPictures(seed)
      const messages = told.map(({ message }) => message)
      const all = messages.map(count).reduce((sum, { tokens }) => sum + tokens, 0)
      for (const format of formats) {
        const maxImages = [3, 4, 8][seed % 3] as number
        let before: ContextWindow | null = null
        for (let maxTokens = 500; maxTokens < all + 500; maxTokens += 250) {
          const window = build(format, messages, { maxImages, maxTokens, page: 1 + seeded(seed + maxTokens)(9) })
          if (window === null) {
            expect(before).toBeNull()
            continue
          }
          expect(window.tokenCount).toBeLessThanOrEqual(maxTokens)
          expect(picturesIn(window.messages).length).toBeLessThanOrEqual(maxImages)
          expect(before?.included.every((message) => window.included.includes(message)) ?? true).toBe(true)
          const again = build(format, messages, { maxImages, maxTokens: window.tokenCount })
          expect(again?.included).toEqual(window.included)
          expect(window.reasons.includes('BUDGET')).toBe(window.included.length < messages.length)
          before = window
        }
        expect(before?.included).toEqual(messages)
      }
    }
  })
})

test('when even the newest turn is too large, the error says what is enough with the pictures that stay', () => {
  const parts = Array.from({ length: 12 }, (_, at) => places.ANTHROPIC(`https://example.com/${at}.png`))
  const messages = [storedMessage(1, { role: 'USER', parts, partsFormat: 'ANTHROPIC' })]
  const builder = (maxTokens: number) => {
    const request = {
      format: 'ANTHROPIC',
      maxTokens,
      reserve: 0,
      maxImages: 8,
      system: null,
      userMessage: null,
    } as const
    const made = new WindowBuilder(request, [])
    made.add(messages.map(count))
    return made
  }
  expect(() => builder(100).finish()).toThrow(expect.objectContaining({ needed: 4 + 8_000 + 4 * 5 }))
  expect(picturesIn(builder(8_024).finish().messages)).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
})

test('a growing conversation begins as it did before, but when a block of pictures is left out', async () => {
  const turns = Array.from({ length: 60 }, (_, at): Partial<Message>[] => [
    { role: 'USER', parts: [places.ANTHROPIC(`https://example.com/${at}.png`)], partsFormat: 'ANTHROPIC' },
    { role: 'ASSISTANT', content: `I see ${at}.` },
  ])
  const messages = turns.flat().map((fields, at) => storedMessage(at + 1, fields))
  for (const format of formats) {
    let before: readonly unknown[] = []
    let changes = 0
    for (let length = 1; length <= messages.length; length += 2) {
      const window = await buildValid(format, messages.slice(0, length), { maxImages: 20 })
      const isSame = JSON.stringify(window.messages.slice(0, before.length)) === JSON.stringify(before)
      if (!isSame) changes++
      before = window.messages
    }
    expect(changes, 'blocks of 5 out of 40').toBe(8)
  }
})

test('by default as many stay as the provider takes', async () => {
  const screens = Array.from({ length: 1_600 }, (_, at) => ({
    role: 'USER' as const,
    parts: [places.ANTHROPIC(`https://example.com/${at}.png`)],
    partsFormat: 'ANTHROPIC' as const,
  })).map((fields, at) => storedMessage(at + 1, fields))
  const kept = async (format: ContextFormat, screens: readonly Message[]) =>
    picturesIn((await buildValid(format, screens)).messages).length
  const outcomes = async (screens: readonly Message[]) =>
    Object.fromEntries(await Promise.all(formats.map(async (format) => [format, await kept(format, screens)])))
  const same = (most: number, sdk: number) => ({
    OPENAI_CHAT: most,
    OPENAI_RESPONSES: most,
    ANTHROPIC: sdk,
    AI_SDK: sdk,
    AI_SDK_MODEL: sdk,
  })
  expect(await outcomes(screens.slice(0, 100))).toEqual(same(100, 100))
  expect(await outcomes(screens.slice(0, 120))).toEqual(same(120, 95))
  expect(await outcomes(screens)).toEqual(same(1_225, 100))
})

test('documents are no pictures', async () => {
  const parts = Array.from({ length: 3 }, () => ({
    type: 'document',
    source: { type: 'url', url: 'https://example.com/a.pdf' },
  }))
  const message = storedMessage(1, { role: 'USER', parts, partsFormat: 'ANTHROPIC' })
  expect((await buildValid('ANTHROPIC', [message], { maxImages: 0 })).reasons).toEqual([])
})
