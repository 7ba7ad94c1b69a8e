import type { Worker } from 'node:worker_threads'
import cl100k from 'gpt-tokenizer/encoding/cl100k_base'
import o200k from 'gpt-tokenizer/encoding/o200k_base'
import { pino } from 'pino'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { cutRuns } from '../../src/tokens/cut-runs.ts'
import { cutSlices } from '../../src/tokens/cut-slices.ts'
import { TokenCounter } from '../../src/tokens/token-counter.ts'
import { until } from '../support/until.ts'

const silent = pino({ level: 'silent' })
const noneIsSpecial = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }

/** The threads that were started and still run. */
const threads = new Set<Worker>()
let started = 0
process.on('worker', (thread) => {
  started += 1
  threads.add(thread)
  thread.once('exit', () => threads.delete(thread))
})

afterEach(() => {
  expect(threads.size).toBe(0)
  started = 0
})

const prose = `The quick brown fox can't jump over 12,345 lazy dogs — "naïve", isn't it?
    if (a !== b) {\treturn [x, y].map((n) => n ** 2); // ¯\\_(ツ)_/¯
    }
Сегодня хорошая погода. 今日はいい天気ですね。 สวัสดีครับ  🇩🇪👩‍👩‍👧
\r\n\r\n- item;\n- item;\n
{"name":"find","arguments":{"query":"Größe","limit":10}}  \n`

test('ordinary texts have the tokens that the encoding gives them, whatever their length', async () => {
  await using counter = new TokenCounter(silent)
  const texts = [prose, '', 'x', prose.repeat(400), ' word'.repeat(20_000)]
  const expected = (encoder: typeof o200k) => texts.map((text) => encoder.encode(text).length)
  expect(await counter.count('O200K_BASE', texts)).toEqual(expected(o200k))
  expect(await counter.count('CL100K_BASE', texts)).toEqual(expected(cl100k))
  expect(started).toBe(1)
})

test('what looks like a special token is text', async () => {
  await using counter = new TokenCounter(silent)
  const text = 'say <|endoftext|> and <|im_start|>, <|fim_prefix|>'
  const [count] = await counter.count('O200K_BASE', [text])
  expect(count).toBe(o200k.encode(text, noneIsSpecial).length)
  expect(count).toBeGreaterThan(15)
})

test.each([
  ['letters', 'a'.repeat(100_000)],
  ['mixed letters', 'aB'.repeat(50_000)],
  ['spaces', ' '.repeat(100_000)],
  ['newlines', '\n'.repeat(100_000)],
  ['signs', '-'.repeat(100_000)],
  ['Chinese', '文'.repeat(33_000)],
  ['emoji', '😀'.repeat(25_000)],
  ['emoji, at odd places', `a${'😀'.repeat(25_000)}`],
  ['letters with marks', 'e\u0301'.repeat(33_000)],
])('a long run of %s is cut into pieces of at most 640 units, and no sign is torn', (_what, text) => {
  const pieces = cutRuns(text)
  expect(pieces.join('')).toBe(text)
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(640)
  expect(pieces.every((piece) => piece.isWellFormed())).toBe(true)
})

test('runs up to 127 signs are not cut', () => {
  for (const sign of ['a', ' ', '-', '文', '😀']) {
    const text = `${sign.repeat(127)}1`.repeat(50)
    expect(cutRuns(text)).toEqual([text])
  }
})

test('a long text without a break is cut into slices that tear no sign', () => {
  const text = `a${'😀'.repeat(5_000)}`
  const slices = cutSlices(text, 1_000)
  expect(slices.join('')).toBe(text)
  expect(slices.every((slice) => slice.isWellFormed() && slice.length <= 1_000)).toBe(true)
})

test('cutting a run adds at most a token for each cut', async () => {
  await using counter = new TokenCounter(silent)
  // Short enough for the encoder itself to be asked.
  for (const text of ['a'.repeat(3_000), ' '.repeat(3_000), '文'.repeat(1_000), '😀'.repeat(700)]) {
    const [count] = await counter.count('O200K_BASE', [text])
    const exact = o200k.encode(text).length
    expect(count).toBeGreaterThanOrEqual(exact)
    expect(count).toBeLessThanOrEqual(exact + cutRuns(text).length - 1)
  }
})

test('a short text is counted before a long one that was asked earlier is done', async () => {
  await using counter = new TokenCounter(silent)
  const order: string[] = []
  const long = counter.count('O200K_BASE', Array(20).fill(prose.repeat(100))).then(() => order.push('long'))
  const short = counter.count('O200K_BASE', ['hello']).then(() => order.push('short'))
  await Promise.all([long, short])
  expect(order).toEqual(['short', 'long'])
})

test('no thread is started before something is counted, and disposing ends it', async () => {
  const counter = new TokenCounter(silent)
  expect(await counter.count('O200K_BASE', ['', ''])).toEqual([0, 0])
  expect(started).toBe(0)
  await counter.count('O200K_BASE', ['x'])
  expect(threads.size).toBe(1)
  await counter[Symbol.asyncDispose]()
  expect(threads.size).toBe(0)
  await expect(counter.count('O200K_BASE', ['x'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('disposing refuses whoever waits', async () => {
  const counter = new TokenCounter(silent)
  const asked = Array.from({ length: 3 }, () => counter.count('O200K_BASE', [prose.repeat(500)]))
  const settled = Promise.allSettled(asked)
  await counter[Symbol.asyncDispose]()
  for (const result of await settled) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } })
  }
})

test('when the thread breaks down, whom it counted for is refused, and the others are answered by a new one', async () => {
  await using counter = new TokenCounter(silent)
  process.once('worker', (thread) => void thread.terminate())
  const first = counter.count('O200K_BASE', ['x'])
  const second = counter.count('O200K_BASE', ['hello world'])
  await expect(first).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await second).toEqual([2])
  expect(started).toBe(2)
  const [thread] = threads
  await thread?.terminate()
  await until(() => threads.size === 0)
  expect(await counter.count('O200K_BASE', ['hello'])).toEqual([1])
  expect(started).toBe(3)
})

test('what waits is bounded', async () => {
  const counter = new TokenCounter(silent)
  onTestFinished(() => counter[Symbol.asyncDispose]())
  const huge = ' word'.repeat(8_000_000)
  const first = counter.count('O200K_BASE', [huge]).catch((error: unknown) => error)
  await expect(counter.count('O200K_BASE', [huge])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await counter[Symbol.asyncDispose]()
  expect(await first).toMatchObject({ code: 'UNAVAILABLE' })
})
