import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { expect } from 'vitest'
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Page,
} from '../../web/node_modules/playwright-core/index.js'

const require = createRequire(new URL('../../web/package.json', import.meta.url))
const { chromium } = require('playwright-core') as typeof import('../../web/node_modules/playwright-core/index.js')

/** Longer than anything takes on a busy machine; what is not there by then does not come. */
const patienceMs = 30_000

/** Chromium of the machine, which asks nobody but the servers of a test. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser
  /** What the pages have asked for elsewhere, and what they complained of. */
  readonly faults: string[] = []
  readonly #contexts: BrowserContext[] = []

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  static async start(): Promise<TestBrowser> {
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
    return new TestBrowser(await chromium.launch({ executablePath, args: ['--no-sandbox'] }))
  }

  /** The page of a user, in a browser of its own. */
  async open(url: string, user: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    this.#contexts.push(context)
    context.setDefaultTimeout(patienceMs)
    await context.addInitScript((name) => localStorage.setItem('colloquy:user', name), user)
    return this.openIn(context, url)
  }

  /** Another window of the same browser. */
  async openIn(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage()
    page.on('console', (message) => {
      // What the browser says of a line that a test has cut.
      const isOfLine = /WebSocket connection|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/.test(message.text())
      if (['error', 'warning'].includes(message.type()) && !isOfLine) this.faults.push(message.text())
    })
    page.on('pageerror', (error) => this.faults.push(String(error.stack)))
    page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url())
      if (protocol !== 'data:' && protocol !== 'blob:' && hostname !== '127.0.0.1') this.faults.push(request.url())
    })
    await page.goto(url)
    await page.locator('.composer, .console, .notice, .graphiql-execute-button').waitFor()
    return page
  }

  /** Ends all that a test has opened. */
  async closePages(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
  }
}

/** What axe finds that keeps people out. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'))
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }
    const { violations } = await axe.run()
    return violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes.map(({ html }) => html) }))
  })
  expect(found.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
}

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}
