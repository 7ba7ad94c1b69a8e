import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import { pino } from 'pino'
import { streamMessage } from '../client/src/index.ts'
import { readConfig } from '../src/config.ts'
import { startServer } from '../src/server/server.ts'
import type { Browser, CDPSession, Page } from '../web/node_modules/playwright-core/index.js'

/**
 * How the page does with a long conversation: `npm run page-figures -- [MESSAGES] [SECONDS]`, 10,000 and 60 unless given. It
 * opens the page at the conversation, and the conversation from another one, scrolls through all of it and back, and streams
 * for so many seconds, in Chromium, with a server of its own. It prints, and asserts nothing.
 *
 * Tracing says beside the time of a clock that of the processor on the page's main thread: the longest task is what the page
 * itself adds to a frame, whatever else the machine does. It costs the page a fifth, so what is timed is done without it too.
 */
const count = Number(process.argv[2] ?? 10_000)
const seconds = Number(process.argv[3] ?? 60)
const user = 'reader'
const { chromium } = createRequire(new URL('../web/package.json', import.meta.url))(
  'playwright-core',
) as typeof import('../web/node_modules/playwright-core/index.js')

/** Runs in the page. It notes there when the last message is shown: asking the page again and again would take its time. */
const begin = `
  if (location.protocol !== 'about:') localStorage.setItem('colloquy:user', ${JSON.stringify(user)})
  const isLast = () => document.querySelector('.messages')?.lastElementChild?.textContent.includes('Message ${count}.')
  globalThis.shown = () => new Promise((resolve) => {
    const look = () => {
      if (!isLast()) return
      observer.disconnect()
      requestAnimationFrame(() => resolve(performance.now()))
    }
    const observer = new MutationObserver(look)
    observer.observe(document, { childList: true, subtree: true })
  })
  globalThis.opened = shown()`

const directory = await mkdtemp(join(tmpdir(), 'colloquy-page-'))
try {
  const settings = { PORT: '0', DATA_DIR: directory, RATE_LIMIT: 'off', MAX_MESSAGES_PER_SECOND: '100000' }
  await using server = await startServer(readConfig(settings), pino({ level: 'warn' }), (error) => {
    throw error
  })
  await fill(server.url)
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
  })
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    await context.addInitScript({ content: begin })
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    await session.send('Performance.enable')
    console.log(`the page, for the first time: ${await open(page, server.url)}`)
    console.log(`the page, again: ${await each(() => open(page, server.url))}`)
    console.log(`the page, loaded once more where it stands: ${await each(() => reload(page))}`)
    console.log(`the page, traced: ${await traced(browser, page, () => open(page, server.url))}`)
    console.log(`the conversation, from another one: ${await each(() => comeFromAnother(page))}`)
    console.log(`the conversation, traced: ${await traced(browser, page, () => comeFromAnother(page))}`)
    await report(session, page, 'opened')
    console.log(`scrolling up, 100 pixels a frame: ${await scroll(page, 'up', 100, 600)}`)
    for (const way of ['up', 'down'] as const) {
      console.log(`scrolling ${way}, 600 pixels a frame: ${await scroll(page, way, 600)}`)
      await report(session, page, `at the ${way === 'up' ? 'first' : 'last'} message`)
    }
    for (const way of ['up', 'down'] as const)
      console.log(`scrolling ${way}, traced: ${await traced(browser, page, () => scroll(page, way, 600))}`)
    await stream(server.url, page, session)
  } finally {
    await browser.close()
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}

async function fill(url: string): Promise<void> {
  await append(url, 'short', 0, 10)
  for (let from = 0; from < count; from += 100) await append(url, 'long', from, Math.min(count, from + 100))
}

async function append(url: string, conversationId: string, from: number, to: number): Promise<void> {
  const query = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
  const messages = Array.from({ length: to - from }, (_, index) => message(from + index))
  const input = { conversationId, ifMissing: 'CREATE', messages }
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user-id': user },
    body: JSON.stringify({ query, variables: { input } }),
  })
  const { errors } = (await response.json()) as { errors?: unknown }
  if (errors) throw new Error(JSON.stringify(errors))
}

/** Questions in a line or two, and answers with a list and code here and there, as assistants write them. */
function message(index: number) {
  const number = `Message ${index + 1}.`
  if (index % 2 === 0)
    return { role: 'USER', content: `${number} What do you say of point ${index}, and why is that so?` }
  const more = 'It depends on what is measured, and on how often. '.repeat(2 + (index % 5))
  const list = index % 7 === 0 ? '\n\n- one thing\n- **another** thing\n- `a third`' : ''
  const code = index % 11 === 0 ? '\n\n```ts\nconst sum = (a: number, b: number) => a + b\n```' : ''
  return { role: 'ASSISTANT', content: `${number} ${more}${list}${code}` }
}

async function open(page: Page, url: string): Promise<string> {
  await page.goto('about:blank')
  await page.goto(`${url}/#/c/long`)
  return inMilliseconds(await page.evaluate('opened'))
}

async function reload(page: Page): Promise<string> {
  await page.reload()
  return inMilliseconds(await page.evaluate('opened'))
}

async function comeFromAnother(page: Page): Promise<string> {
  await page.evaluate("location.hash = '#/c/short'")
  await page.getByText('Message 10.').first().waitFor()
  const take = `(async () => {
    const from = performance.now()
    const at = shown()
    location.hash = '#/c/long'
    return (await at) - from
  })()`
  return inMilliseconds(await page.evaluate(take))
}

function inMilliseconds(time: unknown): string {
  return `${Math.round(time as number)} ms`
}

async function each(work: () => Promise<string>): Promise<string> {
  const times: string[] = []
  for (let time = 0; time < 5; time++) times.push(await work())
  return times.join(', ')
}

/** To the end of the conversation that is there, or over so many frames. */
async function scroll(
  page: Page,
  way: 'up' | 'down',
  pixels: number,
  frames = Number.POSITIVE_INFINITY,
): Promise<string> {
  const text = way === 'up' ? 'Message 1.' : `Message ${count}.`
  const [milliseconds, most] = (await page.evaluate(`new Promise((resolve) => {
    const viewport = document.querySelector('.viewport')
    const milliseconds = []
    let most = 0
    let before = performance.now()
    const step = () => {
      const now = performance.now()
      milliseconds.push(now - before)
      before = now
      viewport.scrollTop += ${way === 'up' ? -pixels : pixels}
      const all = viewport.querySelectorAll('.message')
      most = Math.max(most, all.length)
      const message = all[${way === 'up' ? '0' : 'all.length - 1'}]
      if (milliseconds.length === ${frames} || message.textContent.includes(${JSON.stringify(text)}))
        resolve([milliseconds, most])
      else requestAnimationFrame(step)
    }
    requestAnimationFrame(step)
  })`)) as [number[], number]
  const slow = milliseconds.filter((one) => one > 50).length
  return `${milliseconds.length} frames, ${quantiles(milliseconds)}, ${slow} over 50 ms; up to ${most} messages in the page`
}

function quantiles(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((one, other) => one - other)
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`
}

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** In microseconds of the thread's processor. */
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** What something says of itself, and the processor's time of the tasks meanwhile on the thread that had the most. */
async function traced(browser: Browser, page: Page, work: () => Promise<string>): Promise<string> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] })
  const said = await work()
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] }
  const isMain = ({ name, args }: TraceEvent) => name === 'thread_name' && args?.name === 'CrRendererMain'
  const main = new Set(traceEvents.filter(isMain).map(({ pid, tid }) => `${pid} ${tid}`))
  const byThread = new Map<string, number[]>()
  for (const { name, pid, tid, tdur } of traceEvents) {
    const thread = `${pid} ${tid}`
    if (!name.endsWith('RunTask') || tdur === undefined || !main.has(thread)) continue
    byThread.set(thread, [...(byThread.get(thread) ?? []), tdur / 1_000])
  }
  const sum = (tasks: readonly number[]) => tasks.reduce((total, one) => total + one, 0)
  const [tasks = []] = [...byThread.values()].sort((one, other) => sum(other) - sum(one))
  const over = tasks.filter((one) => one > 50).length
  return `${said}; ${Math.round(sum(tasks))} ms of the processor, the longest task ${Math.round(Math.max(0, ...tasks))} ms, ${over} over 50 ms`
}

async function report(session: CDPSession, page: Page, when: string): Promise<void> {
  await page.evaluate('globalThis.gc?.()')
  const { metrics } = await session.send('Performance.getMetrics')
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0
  console.log(`${when}: ${(of('JSHeapUsedSize') / 1e6).toFixed(1)} MB of heap, ${of('Nodes')} nodes`)
}

/** Thirty pieces a second, a question and its answer after the other. */
async function stream(url: string, page: Page, session: CDPSession): Promise<void> {
  const end = performance.now() + seconds * 1_000
  for (let answers = 1; performance.now() < end; answers++) {
    const at = count + (count % 2) + 2 * answers
    await append(url, 'long', at, at + 1)
    const answer = streamMessage({
      url: `${url}/graphql`,
      connectionParams: { 'x-user-id': user },
      conversationId: 'long',
    })
    for (let piece = 0; piece < 300 && performance.now() < end; piece++) {
      answer.write(piece % 40 === 39 ? 'and so on.\n\n' : `word${piece} `)
      await new Promise((resolve) => setTimeout(resolve, 33))
    }
    await answer.complete()
    await report(session, page, `${answers} answers streamed`)
  }
}
